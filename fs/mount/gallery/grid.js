// A grid of which only the rows in sight are in the document: ten thousand jobs are a number and a
// height. What is in it keeps its element as long as it is there, so that a video plays on.
const grid = {
	list: [], cells: new Map(), columns: 1, rowHeight: 1, active: 0,
	isBehind: false, // there is more to show than is shown

	show(list) {
		const held = this.list[this.active]?.key;
		const focused = $("grid").contains(document.activeElement);
		this.list = list;
		const at = held ? list.findIndex((job) => job.key === held) : -1;
		this.active = at >= 0 ? at : Math.min(this.active, Math.max(0, list.length - 1));
		this.measure();
		this.draw();
		if (focused && at < 0) this.focus(this.active); // what had the focus is not shown any more
	},

	// While somebody watches a tile nothing moves: it would go away from under the pointer.
	get isWatched() { return [...this.cells.values()].some((cell) => tile.plays(cell)); },

	rest() { this.cells.forEach((cell) => tile.rest(cell)); },

	// What has changed of what is there, at its place.
	renew() {
		this.list = this.list.map((job) => jobs.get(job.key) || job);
		for (const cell of this.cells.values()) {
			const job = this.list[cell.index];
			if (cell.key === job.key && cell.stamp !== job.stamp) tile.fill(cell, job);
		}
	},

	measure() {
		const style = getComputedStyle($("grid"));
		const gap = parseFloat(style.getPropertyValue("--gap"));
		const least = parseFloat(style.getPropertyValue("--least"));
		const width = $("grid").clientWidth;
		this.columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
		const cell = (width - gap * (this.columns - 1)) / this.columns;
		this.rowHeight = Math.round(cell * 9 / 16 + parseFloat(style.getPropertyValue("--caption"))) + gap;
		this.step = cell + gap;
		$("grid").style.setProperty("--cell", cell + "px");
		$("grid").style.height = Math.ceil(this.list.length / this.columns) * this.rowHeight + "px";
	},

	// The rows in sight and one beyond, and the one that has the focus wherever it is.
	wanted() {
		const top = -$("grid").getBoundingClientRect().top;
		const first = Math.max(0, Math.floor(top / this.rowHeight) - 1) * this.columns;
		const end = Math.min(this.list.length, (Math.floor((top + innerHeight) / this.rowHeight) + 2) * this.columns);
		const wanted = [];
		for (let i = first; i < end; i++) wanted.push(i);
		if (this.list.length && (this.active < first || this.active >= end)) wanted.push(this.active);
		return wanted;
	},

	draw() {
		const wanted = this.wanted();
		const keys = new Set(wanted.map((index) => this.list[index].key));
		for (const [key, cell] of this.cells)
			if (!keys.has(key)) {
				this.cells.delete(key);
				tile.remove(cell);
			}
		wanted.forEach((index) => this.put(index));
		this.order(wanted.sort((a, b) => a - b));
	},

	put(index) {
		const job = this.list[index];
		let cell = this.cells.get(job.key);
		if (!cell) this.cells.set(job.key, cell = tile.make(job.key));
		if (cell.stamp !== job.stamp) tile.fill(cell, job);
		const row = Math.floor(index / this.columns);
		cell.style.transform = `translate(${(index % this.columns) * this.step}px, ${row * this.rowHeight}px)`;
		cell.setAttribute("aria-posinset", index + 1);
		cell.setAttribute("aria-setsize", this.list.length);
		cell.index = index;
		cell.button.tabIndex = index === this.active ? 0 : -1;
	},

	// In the document as on the screen, for who hears it. Nothing that plays is moved: an element
	// that is taken out, even for a moment, stops.
	order(wanted) {
		let at = $("grid").firstElementChild;
		for (const index of wanted) {
			const cell = this.cells.get(this.list[index].key);
			if (cell === at) at = at.nextElementSibling;
			else if (!cell.isConnected || !cell.contains(document.activeElement) && !tile.plays(cell)) $("grid").insertBefore(cell, at);
		}
	},

	focus(index) {
		if (!this.list.length) return;
		this.active = Math.max(0, Math.min(this.list.length - 1, index));
		const top = $("grid").getBoundingClientRect().top + Math.floor(this.active / this.columns) * this.rowHeight;
		const covered = document.querySelector(".bar").getBoundingClientRect().bottom + 12;
		if (top < covered) scrollBy(0, top - covered);
		else if (top + this.rowHeight > innerHeight) scrollBy(0, top + this.rowHeight - innerHeight);
		this.draw();
		this.cells.get(this.list[this.active].key).button.focus({preventScroll: true});
	},

	// Whether the key moves in the grid.
	key(event) {
		const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
			PageUp: -3 * this.columns, PageDown: 3 * this.columns, Home: -Infinity, End: Infinity};
		if (!(event.key in steps)) return false;
		const to = this.active + steps[event.key];
		if (event.key === "ArrowUp" && to < 0) return false;
		this.focus($("grid").contains(document.activeElement) ? to : this.active);
		return true;
	},
};
