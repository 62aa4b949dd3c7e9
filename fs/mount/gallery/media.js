// What a result is, and the element that shows it.
const KINDS = {
	video: ["mp4", "webm", "mov", "mkv", "m4v", "avi"],
	image: ["png", "jpg", "jpeg", "webp", "gif", "avif", "bmp"],
	audio: ["mp3", "wav", "m4a", "ogg", "opus", "flac", "aac"],
};

function kindOf(file) {
	const suffix = (file.type || file.name.split(".").pop()).replace(/^\./, "").toLowerCase();
	return Object.keys(KINDS).find((kind) => KINDS[kind].includes(suffix)) || "other";
}

// A frame a moment in: the first one is black as often as not.
const POSTER_AT = 0.1;

function poster(file, onLost) {
	if (kindOf(file) === "image")
		return element("img", {src: file.link, alt: "", decoding: "async", draggable: false, onerror: onLost});
	const video = element("video", {muted: true, loop: true, playsInline: true, preload: "metadata",
		disableRemotePlayback: true, tabIndex: -1, "aria-hidden": "true", onerror: onLost});
	video.src = file.link + "#t=" + POSTER_AT;
	return video;
}

// Gives its decoder and its file back at once; removing the element alone does so at some time.
function letGo(media) {
	if (media.tagName === "VIDEO" || media.tagName === "AUDIO") {
		media.onerror = null;
		media.pause();
		media.removeAttribute("src");
		media.load();
	}
	media.remove();
}

function large(file) {
	switch (kindOf(file)) {
	case "video": return element("video", {src: file.link, loop: true, playsInline: true, preload: "auto", tabIndex: -1});
	case "audio": return element("audio", {src: file.link, loop: false, preload: "auto"});
	case "image": return element("img", {src: file.link, alt: "", draggable: false});
	default: return element("a", {href: file.link, textContent: "Open " + file.name});
	}
}
