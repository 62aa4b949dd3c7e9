// Elements, and numbers in words. Whatever comes from prompts, names and providers becomes text
// here and nowhere else: no markup is ever made of it.
const $ = (id) => document.getElementById(id);

function element(tag, properties, ...children) {
	const made = document.createElement(tag);
	for (const [name, value] of Object.entries(properties || {}))
		if (name in made && name !== "role") made[name] = value;
		else if (value !== null && value !== undefined) made.setAttribute(name, value);
	made.append(...children.filter((child) => child || child === 0));
	return made;
}

const UNITS = [["d", 86400e3], ["h", 3600e3], ["min", 60e3], ["s", 1e3]];

// "3 min": one unit is enough to know where one is.
function span(ms) {
	const [unit, length] = UNITS.find(([, length]) => ms >= length) || UNITS[3];
	return Math.max(0, Math.round(ms / length)) + " " + unit;
}

function age(ms, now = Date.now()) {
	if (!ms) return "";
	if (now - ms < 45e3) return "just now";
	if (now - ms < 7 * 86400e3) return span(now - ms) + " ago";
	return new Date(ms).toLocaleDateString(undefined, {year: "numeric", month: "short", day: "numeric"});
}

function timeLeft(take, now = Date.now()) {
	if (!take.expected) return "";
	return now > take.expected ? "later than usual" : "about " + span(take.expected - now) + " left";
}

let usdPerCredit = 0.005;
function setRate(rate) {
	if (rate > 0) usdPerCredit = rate;
}

function dollars(credits) {
	const usd = credits * usdPerCredit;
	return "$" + (usd >= 100 ? Math.round(usd).toLocaleString() : usd >= 0.095 || usd === 0 ? usd.toFixed(2) : +usd.toFixed(3));
}

const costOf = (take) => take.spent ?? take.estimate;

// "~$0.24": an estimate, as in `kinofs status`.
function price(take) {
	const credits = costOf(take);
	if (credits === undefined) return "price not known";
	return (take.spent === undefined ? "~" : "") + dollars(credits);
}

// What tells takes apart at a glance; the rest is in the information.
const shortParameters = (take) => take.parameters.filter(([name, value]) =>
	/duration|resolution|ratio|size|quality|mode/.test(name) && value.length < 12)
	.map(([name, value]) => (/duration/.test(name) && /^[0-9.]+$/.test(value) ? value + " s" : value));

const plural = (count, word) => count.toLocaleString() + " " + word + (count === 1 ? "" : "s");

function clock(seconds) {
	const whole = Math.floor(seconds || 0);
	return Math.floor(whole / 60) + ":" + String(whole % 60).padStart(2, "0");
}

const monthOf = (ms) => {
	const date = new Date(ms || 0);
	return date.getFullYear() + "-" + String(date.getMonth() + 1).padStart(2, "0");
};
const monthName = (month) => new Date(month + "-15T12:00").toLocaleDateString(undefined, {year: "numeric", month: "long"});

function tell(news) {
	$("news").append(element("p", {}, news));
	while ($("news").childElementCount > 5) $("news").firstElementChild.remove();
}

let toastTimer = 0;
function toast(words) {
	$("toast").textContent = words;
	$("toast").hidden = false;
	($("viewer").open ? $("viewer") : document.body).append($("toast")); // above what is modal
	clearTimeout(toastTimer);
	toastTimer = setTimeout(() => { $("toast").hidden = true; }, 2500);
	tell(words);
}

// The clipboard of a page that was opened by a double click may be closed to it: then as of old.
async function copy(text, what) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		const held = document.activeElement;
		const area = element("textarea", {value: text, className: "unseen"});
		($("viewer").open ? $("viewer") : document.body).append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
		held?.focus({preventScroll: true});
	}
	toast(what + " copied");
}
