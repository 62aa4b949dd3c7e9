// One or several videos, or a sound, that play in step: the longest leads, and what drifts from it
// by more than two frames or so is put right.
const DRIFT = 0.08;

class Step {
	constructor(media, changed) {
		this.media = media;
		this.changed = changed;
		this.wanted = false; // to play
		for (const one of media)
			for (const event of ["loadedmetadata", "timeupdate", "play", "pause", "ended", "seeked"])
				one.addEventListener(event, () => changed());
		if (media.length > 1) media.forEach((one) => { one.loop = false; });
	}

	get leader() {
		return this.media.reduce((longest, one) => ((one.duration || 0) > (longest.duration || 0) ? one : longest));
	}
	get duration() { return this.leader.duration || 0; }
	get time() { return this.leader.currentTime; }
	get plays() { return this.wanted; }

	async play() {
		this.wanted = true;
		if (this.leader.ended) this.seek(0);
		await Promise.all(this.media.map((one) => Step.ready(one)));
		if (!this.wanted) return;
		await Promise.all(this.media.map((one) => (one.ended ? null : one.play().catch(() => {}))));
		if (this.media.every((one) => one.paused)) this.wanted = false; // the browser lets none play
		this.watch();
		this.changed();
	}

	pause() {
		this.wanted = false;
		this.media.forEach((one) => one.pause());
		this.align();
		this.changed();
	}

	toggle() { return this.wanted ? this.pause() : this.play(); }

	seek(seconds) {
		this.media.forEach((one) => { one.currentTime = Math.min(seconds, one.duration || seconds); });
	}

	align() {
		const time = this.time;
		for (const one of this.media) {
			const aim = Math.min(time, one.duration || time);
			if (Math.abs(one.currentTime - aim) > DRIFT && !one.seeking) one.currentTime = aim;
		}
	}

	watch() {
		cancelAnimationFrame(this.frame);
		const look = () => {
			if (!this.wanted) return;
			if (this.media.length > 1) {
				this.align();
				if (this.leader.ended) this.again();
			} else if (this.leader.ended && !this.leader.loop) this.wanted = false;
			this.changed();
			this.frame = requestAnimationFrame(look);
		};
		this.frame = requestAnimationFrame(look);
	}

	again() {
		this.seek(0);
		this.media.forEach((one) => one.play().catch(() => {}));
	}

	end() {
		this.wanted = false;
		cancelAnimationFrame(this.frame);
	}

	// Enough is there to begin; what cannot be played is not waited for.
	static ready(media) {
		return media.readyState >= 3 || media.error ? null : new Promise((resolve) => {
			media.addEventListener("canplay", resolve, {once: true});
			media.addEventListener("error", resolve, {once: true});
		});
	}
}
