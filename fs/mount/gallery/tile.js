// A job in the grid. Its poster is the video itself, loaded while it is in sight.
const tile = {
	sight: new IntersectionObserver((entries) => {
		for (const entry of entries) {
			clearTimeout(entry.target.timer);
			// what only flies past is not opened
			if (entry.isIntersecting) entry.target.timer = setTimeout(() => tile.open(entry.target), 60);
			else tile.close(entry.target);
		}
	}),

	make(key) {
		const cell = element("li", {className: "cell", role: "listitem"});
		cell.key = key;
		cell.stage = element("span", {className: "stage"});
		cell.name = element("span", {className: "name"});
		cell.prompt = element("span", {className: "prompt"});
		cell.facts = element("span", {className: "facts"});
		cell.made = element("span", {className: "facts"});
		cell.button = element("button", {type: "button", className: "tile"}, cell.stage, cell.name, cell.prompt, cell.facts, cell.made);
		cell.append(cell.button);
		cell.button.addEventListener("click", () => viewer.open(grid.list, cell.index));
		cell.button.addEventListener("focus", () => { grid.active = cell.index; grid.draw(); });
		cell.button.addEventListener("pointerenter", () => tile.play(cell));
		cell.button.addEventListener("pointerleave", () => tile.rest(cell));
		this.sight.observe(cell);
		return cell;
	},

	fill(cell, job) {
		const take = job.newest, file = job.shown.files[0] || null;
		cell.stamp = job.stamp;
		cell.job = job;
		cell.className = "cell is-" + job.state + (job.state === "problem" ? " is-" + take.note : "");
		cell.name.textContent = job.name;
		const trouble = job.state === "problem" && (take.problem || "").split("\n")[0];
		cell.prompt.textContent = trouble && file ? trouble : take.prompt || "";
		cell.prompt.classList.toggle("trouble", Boolean(trouble && file));
		if (cell.file?.link !== file?.link || !file) this.setFile(cell, file);
		if (cell.words) cell.words.textContent = trouble && trouble.length > 110 ? trouble.slice(0, 100) + " …" : trouble || "";
		this.badges(cell, job);
		this.age(cell);
	},

	setFile(cell, file) {
		if (cell.media) letGo(cell.media);
		cell.media = null;
		cell.file = file;
		cell.picture?.remove();
		cell.picture = null;
		const sent = cell.job.newest.pictures[0];
		const kind = file ? kindOf(file) : sent ? "sent" : "none";
		cell.stage.dataset.kind = kind;
		cell.words?.remove();
		cell.words = kind === "none" ? element("span", {className: "words"}) : null;
		if (cell.words) cell.stage.prepend(cell.words);
		if (!file && sent) {
			cell.picture = element("img", {className: "sent", src: sent, alt: "", loading: "lazy", decoding: "async",
				onerror: () => { cell.picture?.remove(); cell.stage.dataset.kind = "none"; }});
			cell.stage.prepend(cell.picture);
		}
		if (cell.inSight) this.open(cell);
	},

	badges(cell, job) {
		cell.badges?.remove();
		cell.length = element("span", {className: "badge length"});
		const take = job.newest, going = job.state === "going", problem = job.state === "problem";
		const files = job.takes.reduce((sum, take) => sum + take.files.length, 0);
		cell.left = going || problem ? element("span", {className: "badge state"}) : null;
		cell.progress = going ? element("span", {className: "progress"}) : null;
		cell.badges = element("span", {className: "badges"}, cell.left,
			files > 1 && element("span", {className: "badge count"}, job.takes.length > 1 ? plural(job.takes.length, "take") : plural(files, "result")),
			cell.length, cell.progress);
		if (problem) cell.left.textContent = take.note === "error" && take.state !== "done" ? take.state : take.note;
		cell.stage.append(cell.badges);
		this.length(cell);
	},

	length(cell) {
		cell.length.textContent = cell.media?.duration ? clock(cell.media.duration) : "";
	},

	// What changes by itself.
	age(cell) {
		const job = cell.job, take = job.newest;
		const left = timeLeft(take);
		if (cell.progress) {
			const how = take.state === "running" ? left || "under way" : take.settling ? "settling" : take.state;
			cell.left.textContent = cell.words ? "" : how;
			if (cell.words) cell.words.textContent = how;
			const expected = take.expected ? (Date.now() - take.accepted) / (take.expected - take.accepted) : 0;
			cell.progress.style.setProperty("--done", Math.min(0.97, Math.max(take.progress / 100 || 0, expected, 0.03)));
		}
		cell.facts.textContent = [price(take), age(job.time)].join(" · ");
		cell.made.textContent = [take.title || take.model, ...shortParameters(take)].join(" · ");
		cell.button.setAttribute("aria-label", [job.name, cell.left?.textContent, cell.words?.textContent, job.takes.length > 1 && plural(job.takes.length, "take"),
			cell.prompt.textContent, cell.facts.textContent, cell.made.textContent].filter(Boolean).join(", "));
	},

	open(cell) {
		cell.inSight = true;
		if (cell.media || !cell.file || !["video", "image"].includes(kindOf(cell.file))) return;
		cell.media = poster(cell.file, () => {
			if (cell.media) letGo(cell.media);
			cell.media = null;
			cell.stage.dataset.kind = "lost";
		});
		cell.media.addEventListener("loadedmetadata", () => this.length(cell));
		cell.stage.prepend(cell.media);
		if (cell.button.matches(":hover")) this.play(cell);
	},

	close(cell) {
		cell.inSight = false;
		if (!cell.media) return;
		letGo(cell.media);
		cell.media = null;
	},

	play(cell) {
		if (cell.media?.tagName === "VIDEO") cell.media.play().catch(() => {}); // it went out of sight
	},

	rest(cell) {
		if (cell.media?.tagName !== "VIDEO") return;
		cell.media.pause();
		cell.media.currentTime = POSTER_AT;
		if (grid.isBehind) draw();
	},

	plays: (cell) => cell.media?.tagName === "VIDEO" && !cell.media.paused,

	remove(cell) {
		clearTimeout(cell.timer);
		this.sight.unobserve(cell);
		this.close(cell);
		cell.remove();
	},
};
