// One job, large: its takes, what was asked for, what it cost, and what to do about it.
const viewer = {
	list: [], index: 0, job: null, choices: [], chosen: [], step: null, compares: false,

	open(list, index) {
		this.list = list;
		if (!$("viewer").open) {
			this.opener = null; // where the focus goes afterwards; null: to the job
			grid.rest();
			$("viewer").showModal();
		}
		this.go(index);
		$("viewer-name").focus();
	},

	go(index) {
		if (index < 0 || index >= this.list.length) return;
		this.index = index;
		this.compare(false);
		this.show(this.list[index]);
		this.choose([Math.max(0, this.choices.findIndex((choice) => choice.take === this.job.shown))]);
	},

	// All but what plays.
	show(job) {
		this.job = job;
		this.choices = job.takes.toReversed().flatMap((take) => take.files.map((file) => ({take, file})));
		$("viewer-name").textContent = job.name;
		$("viewer-place").textContent = (this.index + 1).toLocaleString() + " of " + this.list.length.toLocaleString();
		$("viewer-compare").hidden = this.choices.filter((choice) => kindOf(choice.file) !== "audio").length < 2;
		$("viewer-previous").disabled = this.index === 0;
		$("viewer-next").disabled = this.index === this.list.length - 1;
	},

	// After a refresh. The stage is left alone unless what is on it is gone.
	renew(list) {
		const job = jobs.get(this.job.key);
		const links = this.chosen.map((at) => this.choices[at]?.file.link);
		this.list = list;
		const index = list.findIndex((one) => one.key === this.job.key);
		if (index >= 0) this.index = index;
		if (!job || job.stamp === this.job.stamp) return;
		this.show(job);
		this.chosen = links.map((link) => this.choices.findIndex((choice) => choice.file.link === link));
		if (this.chosen.length && !this.chosen.includes(-1)) this.around();
		else this.choose([Math.max(0, this.choices.findIndex((choice) => choice.take === job.shown))]);
	},

	choose(chosen) {
		this.step?.end();
		[...$("stage").querySelectorAll("video, audio, img")].forEach(letGo);
		this.chosen = chosen.filter((at) => this.choices[at]);
		$("stage").replaceChildren(...this.chosen.map((at) => this.figure(this.choices[at])));
		if (!this.chosen.length) $("stage").append(this.placeholder());
		const media = [...$("stage").querySelectorAll("video, audio")];
		media.forEach((one) => { one.muted = one.tagName === "VIDEO" && $("mute").ariaPressed !== "true"; });
		this.step = media.length ? new Step(media, () => this.tick()) : null;
		$("transport").hidden = !media.length;
		$("stage").dataset.count = this.chosen.length;
		this.around();
		this.step?.play();
	},

	figure({take, file}) {
		const media = large(file);
		media.addEventListener("error", () => media.replaceWith(element("p", {className: "none"},
			"This cannot be shown: it was moved or removed, or this browser does not know its kind.")));
		return element("figure", {}, kindOf(file) === "audio" && element("span", {className: "note", "aria-hidden": "true"}, "♪"), media,
			this.compares && element("figcaption", {}, this.label({take, file}) + " · " + price(take)));
	},

	placeholder() {
		const take = this.job.newest;
		const sent = take.pictures[0] && element("img", {src: take.pictures[0], alt: "", className: "sent"});
		return element("div", {className: "none"}, sent, element("p", {}, isGoing(take) ? "Under way. " + timeLeft(take) : "There is no result."));
	},

	label({take, file}) {
		return "Take " + take.take + (take.files.length > 1 ? ", " + (take.files.indexOf(file) + 1) : "");
	},

	around() {
		$("takes").replaceChildren(...(this.choices.length > 1 ? this.choices.map((choice, at) => element("li", {},
			element("button", {type: "button", "aria-pressed": this.chosen.includes(at), onclick: () => this.pick(at)}, this.label(choice)))) : []));
		$("viewer-compare").setAttribute("aria-pressed", this.compares);
		this.inform();
		this.tick();
	},

	pick(at) {
		const held = this.chosen.includes(at) ? this.chosen.filter((one) => one !== at) : [...this.chosen, at].sort((a, b) => a - b);
		this.choose(this.compares ? (held.length ? held : this.chosen) : [at]);
		$("takes").children[at]?.firstElementChild.focus();
	},

	compare(on) {
		this.compares = on && !$("viewer-compare").hidden;
		if (on) this.choose(this.choices.map((_, at) => at).filter((at) => kindOf(this.choices[at].file) !== "audio").slice(-4));
	},

	toggleCompare() {
		if (!this.compares) return this.compare(true);
		this.compare(false);
		this.choose(this.chosen.slice(-1));
	},

	get take() { return this.choices[this.chosen[0]]?.take || this.job.newest; },

	inform() {
		const take = this.take, now = this.job.newest;
		const row = (name, ...value) => value.some(Boolean) && [element("dt", {}, name), element("dd", {}, ...value)];
		const button = (words, text, what) => text && element("button", {type: "button", onclick: () => copy(text, what)}, words);
		const trouble = isProblem(now) ? now : isProblem(take) ? take : null;
		const sum = this.job.takes.filter((one) => one.ordered).reduce((all, one) => all + (costOf(one) || 0), 0);
		$("info").replaceChildren(
			trouble ? element("section", {className: "trouble"}, element("h3", {}, trouble.note === "error" ? "What is wrong" : "Why it does not go on"),
				element("p", {className: "told"}, trouble.problem || trouble.state), element("p", {}, trouble.money || ""), element("p", {}, trouble.advice || ""),
				trouble.command && element("code", {}, trouble.command), button("Copy command", trouble.command, "Command")) : "",
			element("section", {}, element("h3", {}, "Prompt"), element("p", {className: "told"}, take.prompt || "None."), button("Copy prompt", take.prompt, "Prompt")),
			element("dl", {}, ...[row("Model", take.title || take.model), row("State", take.state, isGoing(take) ? " · " + timeLeft(take) : ""),
				row("Cost", price(take), costOf(take) !== undefined && ` · ${+costOf(take).toFixed(2)} credits`), this.job.takes.length > 1 && row("All takes", dollars(sum)),
				row("Ordered", take.submitted ? age(take.submitted) + ", " + new Date(take.submitted).toLocaleString() : "not yet"),
				row("Took", take.finished && take.accepted ? span(take.finished - take.accepted) : ""),
				...take.parameters.map(([name, value]) => row(name, value)),
				row("Files", ...take.files.map((file) => element("a", {href: file.link, target: "_blank"}, file.name)))].filter(Boolean).flat()),
			take.pictures.length ? element("div", {className: "sent-pictures"}, ...take.pictures.map((link) => element("img", {src: link, alt: "A picture that was sent", loading: "lazy"}))) : "",
			!trouble && take.command ? element("section", {}, element("h3", {}, "Another take"), element("code", {}, take.command), button("Copy command", take.command, "Command")) : "");
	},

	tick() {
		if (!this.step) return;
		const {time, duration, plays} = this.step;
		const words = plays ? "Pause" : "Play";
		if ($("play").textContent !== words) $("play").textContent = words;
		if (duration && document.activeElement !== $("seek")) $("seek").value = Math.round(time / duration * 1000);
		$("time").textContent = clock(time) + " / " + clock(duration);
		$("seek").setAttribute("aria-valuetext", $("time").textContent);
	},

	sound() {
		const on = $("mute").ariaPressed !== "true";
		$("mute").setAttribute("aria-pressed", on);
		this.step?.media.forEach((one) => { one.muted = !on; });
	},

	info() {
		const shown = $("viewer-info").ariaPressed !== "true";
		$("viewer-info").setAttribute("aria-pressed", shown);
		$("info").hidden = !shown;
	},

	turnTake(by) {
		const at = (this.chosen[0] ?? 0) + by;
		if (!this.compares && this.choices[at]) this.choose([at]);
	},

	// At once: the event comes later, and what is typed meanwhile is meant for what is behind.
	close() {
		$("viewer").close();
		this.closed();
	},

	closed() {
		if (!this.job || $("viewer").open) return; // it was done already, or another is open by now
		this.step?.end();
		this.step = null;
		[...$("stage").querySelectorAll("video, audio, img")].forEach(letGo);
		$("stage").replaceChildren();
		document.body.append($("toast"));
		if (this.opener) this.opener.focus();
		else grid.focus(Math.max(0, grid.list.findIndex((job) => job.key === this.job.key)));
		this.job = null;
	},

	key(event) {
		const inField = event.target.matches("input");
		const keys = {ArrowLeft: () => this.go(this.index - 1), ArrowRight: () => this.go(this.index + 1),
			ArrowUp: () => this.turnTake(-1), ArrowDown: () => this.turnTake(1), " ": () => this.step?.toggle(),
			i: () => this.info(), v: () => !$("viewer-compare").hidden && this.toggleCompare(), m: () => this.sound(),
			c: () => this.take.prompt && copy(this.take.prompt, "Prompt"), "/": () => { this.opener = $("search"); this.close(); }};
		if (!keys[event.key] || inField && event.key.startsWith("Arrow") || event.key === " " && event.target.matches("button, a")) return false;
		keys[event.key]();
		return true;
	},
};
