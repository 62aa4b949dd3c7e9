// What is known of jobs, from scripts that the mount makes (fs/mount/gallery.h). A page of file://
// may fetch nothing, but a <script> that is added again reads its file anew.
const NOW = ".kinofs/gallery.js";
const takes = new Map(); // by id
let jobs = new Map();    // by model and name
let head = null;
const loaded = new Set(); // months
let newest = 0;           // the last end of a job that was told

let received = null;
window.kinofsGallery = (data) => { received = data; };
let reading = Promise.resolve();

// One at a time, for it is told by the call alone which script called. null: it could not be read.
function readScript(source) {
	reading = reading.then(() => new Promise((resolve) => {
		const end = () => {
			script.remove();
			resolve(received);
		};
		received = null;
		const script = element("script", {src: source, onload: end, onerror: end});
		document.head.append(script);
	}));
	return reading;
}

const isProblem = (take) => take.note !== undefined;
const isGoing = (take) => !isProblem(take) && !["done", "cancelled", "rejected", "failed", "unknown"].includes(take.state);
const nameOf = (take) => take.job_quoted || take.job;
const timeOf = (take) => take.submitted || take.changed || take.created;

function stateOf(take) {
	if (isProblem(take)) return "problem";
	return isGoing(take) ? "going" : take.state === "done" ? "done" : "withdrawn";
}

// Groups takes, the newest first; what a job is like is what its newest take is like.
function group() {
	const old = jobs;
	jobs = new Map();
	for (const take of takes.values()) {
		const key = take.model + "/" + nameOf(take);
		if (!jobs.has(key)) jobs.set(key, {key, takes: []});
		jobs.get(key).takes.push(take);
	}
	for (const job of jobs.values()) {
		job.takes.sort((a, b) => b.take - a.take);
		job.newest = job.takes[0];
		job.name = nameOf(job.newest);
		job.state = stateOf(job.newest);
		job.time = Math.max(...job.takes.map(timeOf));
		job.shown = job.takes.find((take) => take.files.length) || job.newest;
		job.stamp = job.takes.map((take) => take.stamp).join();
		job.words = null;
		const before = old.get(job.key);
		if (before && before.stamp === job.stamp) job.words = before.words;
	}
}

const wordsOf = (job) => job.words ??= job.takes.map((take) =>
	[nameOf(take), take.model, take.title, take.prompt].join("\n")).join("\n").toLowerCase();

// A withdrawn job, and one whose results were all removed, are shown to who asks for them.
function isWorthShowing(job) {
	return job.state === "going" || job.state === "problem" || job.takes.some((take) => take.files.length);
}

function select(filter) {
	const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
	const fits = (job) => (filter.state ? job.state === filter.state : isWorthShowing(job)) &&
		(!filter.model || job.newest.model === filter.model) &&
		(!filter.folder || ((job.newest.dir_quoted || job.newest.dir || "") + "/").startsWith(filter.folder + "/")) &&
		(!filter.month || job.takes.some((take) => monthOf(timeOf(take)) === filter.month)) &&
		words.every((word) => wordsOf(job).includes(word));
	return [...jobs.values()].filter(fits).sort((a, b) =>
		(b.state === "going") - (a.state === "going") || b.time - a.time || b.newest.id - a.newest.id);
}

let stamps = 0;
function merge(list) {
	for (const take of list) {
		const before = takes.get(take.id);
		const text = before ? JSON.stringify(take) : null;
		if (before && (before.text ??= textOf(before)) === text) continue;
		take.stamp = ++stamps;
		takes.set(take.id, take);
		if (text) take.text = text;
	}
}

function textOf(take) {
	const {stamp, text, ...told} = take;
	return JSON.stringify(told);
}

const newsOf = (before, after) => {
	if (!before || before.state === after.state) return null;
	if (after.state === "done") return nameOf(after) + " is done";
	return isProblem(after) ? nameOf(after) + ": " + after.state : null;
};

// What goes on. Returns false when the mount does not answer. What has ended since, but is not among
// the last that did, is looked for in its month.
async function refresh() {
	const data = await readScript(NOW);
	if (!data) return false;
	const told = new Set(data.takes.map((take) => take.id));
	const news = data.takes.map((take) => newsOf(takes.get(take.id), take)).filter(Boolean);
	const left = [...takes.values()].filter((take) => !told.has(take.id) && (isGoing(take) || isProblem(take) && take.submitted === undefined));
	const missed = newest && data.head.since > newest;
	const isFirst = !head;
	head = data.head;
	setRate(head.usd_per_credit);
	merge(data.takes);
	left.forEach((take) => takes.delete(take.id));
	newest = Math.max(newest, ...data.takes.map((take) => take.changed || 0));
	const stale = new Set(left.map((take) => monthOf(timeOf(take))));
	if (missed) loaded.forEach((month) => stale.add(month));
	for (const month of stale)
		if (loaded.delete(month)) await load(month);
	group();
	if (!isFirst) news.slice(0, 5).forEach(tell);
	return true;
}

// A month of which not everything is known yet.
async function load(month) {
	if (loaded.has(month)) return;
	const data = await readScript(".kinofs/gallery/" + month + ".js");
	if (!data) return;
	loaded.add(month);
	merge(data.takes);
	group();
}

const unloaded = () => (head ? head.months.filter((month) => !loaded.has(month)) : []);
