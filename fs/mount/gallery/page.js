// What is shown of what is known, keys, and looking again.
const FIRST_JOBS = 60; // until there are as many, older months are read unasked
const filter = {search: "", state: "", model: "", folder: "", month: ""};

function options(select, values, name = (value) => value) {
	const wanted = [...values].sort();
	const had = [...select.options].slice(1).map((option) => option.value);
	if (wanted.join("\n") === had.join("\n")) return;
	const held = select.value;
	while (select.options.length > 1) select.options[1].remove();
	wanted.forEach((value) => select.append(element("option", {value}, name(value))));
	select.value = wanted.includes(held) ? held : "";
	select.hidden = !wanted.length;
}

function foldersOf(take) {
	const parts = (take.dir_quoted || take.dir || "").split("/").filter(Boolean);
	return parts.map((_, at) => parts.slice(0, at + 1).join("/"));
}

function offer() {
	const titles = new Map(), folders = new Set(), months = new Set(head.months);
	for (const take of takes.values()) {
		titles.set(take.model, take.title || take.model);
		if (take.dir) foldersOf(take).forEach((folder) => folders.add(folder));
		months.add(monthOf(timeOf(take)));
	}
	options($("model"), titles.keys(), (model) => titles.get(model));
	options($("folder"), folders);
	options($("month"), months, monthName);
}

function sums(list) {
	const ordered = list.flatMap((job) => job.takes).filter((take) => take.ordered);
	const credits = ordered.reduce((sum, take) => sum + (costOf(take) || 0), 0);
	const count = (state) => list.filter((job) => job.state === state).length;
	return [plural(list.length, "job"), count("going") && count("going") + " under way",
		count("problem") && plural(count("problem"), "problem"), ordered.length && dollars(credits)].filter(Boolean).join(" · ");
}

function spent() {
	if (head.month_credits === undefined) return "";
	const cap = (credits) => (credits ? " of " + dollars(credits) : "");
	return "Today " + dollars(head.today_credits) + cap(head.caps?.credits_per_day) +
		" · this month " + dollars(head.month_credits) + cap(head.caps?.credits_per_month);
}

function draw() {
	const list = select(filter);
	grid.isBehind = grid.isWatched;
	if (grid.isBehind) grid.renew();
	else grid.show(list);
	for (const cell of grid.cells.values()) tile.age(cell);
	if ($("viewer").open) viewer.renew(list);
	$("mount").textContent = document.title = head.mount_quoted || head.mount;
	$("spent").textContent = spent();
	$("summary").textContent = sums(list);
	$("empty").hidden = list.length > 0;
	$("empty").textContent = takes.size ? "Nothing fits the filter." :
		"Nothing was made here yet. Save a prompt into a model's folder, and what is made of it appears here.";
	const older = unloaded().at(-1);
	$("older").hidden = !older;
	$("older").textContent = older ? "Show " + monthName(older) : "";
	offer();
}

async function filtered() {
	for (const name of ["search", "state", "model", "folder", "month"]) filter[name] = $(name).value;
	if (filter.month && head.months.includes(filter.month)) await load(filter.month);
	scrollTo(0, 0);
	grid.rest();
	draw();
}

// Looks again as long as somebody looks at it, but never so often that making the script would be
// what the mount mostly does.
const PAUSE_MS = 3000;
let timer = 0;
async function look() {
	clearTimeout(timer);
	if (document.hidden) return;
	const began = performance.now();
	const answered = await refresh();
	$("alarm").hidden = answered;
	$("alarm").textContent = answered ? "" : head ? "The mount does not answer. This is what it said last." :
		"The mount does not answer. Is kinofs running? Open this page in the mounted folder.";
	if (answered) draw();
	timer = setTimeout(look, PAUSE_MS + 10 * (performance.now() - began));
}

async function begin() {
	await look();
	while (unloaded().length && (!loaded.size || jobs.size < FIRST_JOBS)) {
		const month = unloaded().at(-1);
		await load(month);
		draw();
		if (!loaded.has(month)) break; // it cannot be read
	}
}

let typing = 0; // until what is typed counts
document.addEventListener("keydown", (event) => {
	if (event.ctrlKey || event.metaKey || event.altKey || !head) return;
	const inField = event.target.matches("input, select, textarea");
	let done = false;
	if ($("viewer").open) done = viewer.key(event);
	else if (event.target === $("search") && (event.key === "Escape" || event.key === "Enter" || event.key === "ArrowDown")) {
		if (event.key === "Escape") $("search").value = "";
		clearTimeout(typing);
		filtered().then(() => grid.focus(grid.active));
		done = true;
	} else if (!inField && event.key === "/") {
		$("search").focus();
		$("search").select();
		done = true;
	} else if (!inField && event.key === "c" && grid.list[grid.active]?.newest.prompt) {
		copy(grid.list[grid.active].newest.prompt, "Prompt");
		done = true;
	} else if (!inField) done = grid.key(event);
	if (done) event.preventDefault();
}, true);

$("filters").addEventListener("submit", (event) => event.preventDefault());
$("search").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(filtered, 120); });
for (const name of ["state", "model", "folder", "month"]) $(name).addEventListener("change", filtered);
$("older").addEventListener("click", async () => { await load(unloaded().at(-1)); draw(); });
$("viewer").addEventListener("close", () => viewer.closed());
$("viewer-close").addEventListener("click", () => viewer.close());
$("viewer-previous").addEventListener("click", () => viewer.go(viewer.index - 1));
$("viewer-next").addEventListener("click", () => viewer.go(viewer.index + 1));
$("viewer-info").addEventListener("click", () => viewer.info());
$("viewer-compare").addEventListener("click", () => viewer.toggleCompare());
$("play").addEventListener("click", () => viewer.step?.toggle());
$("mute").addEventListener("click", () => viewer.sound());
$("seek").addEventListener("input", () => viewer.step?.seek($("seek").value / 1000 * viewer.step.duration));
addEventListener("scroll", () => requestAnimationFrame(() => grid.draw()), {passive: true});
addEventListener("resize", () => { grid.measure(); grid.draw(); });
document.addEventListener("visibilitychange", look);
setInterval(() => { for (const cell of grid.cells.values()) tile.age(cell); }, 1000);
begin();
