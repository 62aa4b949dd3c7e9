/*
 * render_ffmpeg.c - the ffmpeg command for a shot.
 *
 * The command runs inside the job's own directory, so every file has a plain name and nothing a
 * user wrote stands in the command: prompts and addresses go through text files. Pictures are
 * opened by the demuxer of their sniffed type and nothing else.
 */
#include "contrib/simulator/render.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FRAMES_A_SECOND 12
#define LONGEST_SIDE    480
#define SHORTEST_SIDE   200
#define ZOOM            0.16 /* of the picture is out of sight at the end */
#define FONT_SIZE       16
#define LINE_HEIGHT     22
#define COLUMN_WIDTH    9
#define MARGIN          14

struct canvas {
	int width, height;
};

/* The shape of the first picture, small; 16:9 without one. */
static struct canvas canvas_of(const struct scene *scene)
{
	const struct picture *picture = scene->first.picture;
	double ratio =
		picture && picture->demuxer ? (double)picture->width / picture->height : 16.0 / 9;
	double width = ratio >= 1 ? LONGEST_SIDE : LONGEST_SIDE * ratio;
	double height = ratio >= 1 ? LONGEST_SIDE / ratio : LONGEST_SIDE;

	if (width < SHORTEST_SIDE)
		width = SHORTEST_SIDE;
	if (height < SHORTEST_SIDE)
		height = SHORTEST_SIDE;
	return (struct canvas){(int)(width / 2) * 2, (int)(height / 2) * 2};
}

static int __attribute__((format(printf, 2, 3)))
add(struct command *command, const char *format, ...)
{
	size_t count = 0;
	va_list arguments;
	int length;

	while (command->arguments[count])
		count++;
	if (count + 1 >= sizeof(command->arguments) / sizeof(command->arguments[0]))
		return -E2BIG;
	va_start(arguments, format);
	length = vasprintf(&command->arguments[count], format, arguments);
	va_end(arguments);
	if (length >= 0)
		return 0;
	command->arguments[count] = NULL;
	return -ENOMEM;
}

static int add_words(struct command *command, const char *const *words)
{
	int error = 0;

	for (; *words && !error; words++)
		error = add(command, "%s", *words);
	return error;
}

/* Two dark colours that depend on the text: white letters stay readable. */
static void colours_of(const char *text, unsigned int colours[2])
{
	char digits[HEX_SHA256];
	unsigned long number;

	sha256_hex(text, strlen(text), digits);
	digits[12] = '\0';
	number = strtoul(digits, NULL, 16);
	colours[0] = (number & 0x7f7f7f) + 0x101010;
	colours[1] = (number >> 24 & 0x7f7f7f) + 0x202020;
}

/* A picture, or a slowly turning gradient in its place. */
static int add_input(struct command *command, const struct source *source, const char *prompt,
	struct canvas canvas)
{
	static const char *const limits[] = {"-max_pixels", "200000000", "-framerate", NULL};
	unsigned int colours[2];
	int error = add(command, "-f");

	if (!error && source->picture && source->picture->demuxer) {
		error = add(command, "%s", source->picture->demuxer);
		error = error ? error : add_words(command, limits);
		error = error ? error : add(command, "%d", FRAMES_A_SECOND);
		error = error ? error : add(command, "-i");
		return error ? error : add(command, "../%s", source->picture->name);
	}
	colours_of(source->url ? source->url : prompt, colours);
	error = error ? error : add(command, "lavfi");
	error = error ? error : add(command, "-i");
	return error ? error
	             : add(command, "gradients=s=%dx%d:r=%d:n=2:c0=0x%06x:c1=0x%06x:speed=0.01",
			       canvas.width, canvas.height, FRAMES_A_SECOND, colours[0],
			       colours[1]);
}

/* One input as an endless steady picture of the canvas's size. */
static void put_still(FILE *graph, int input, struct canvas canvas)
{
	(void)fprintf(graph,
		"[%d:v]scale=%d:%d:force_original_aspect_ratio=increase,crop=%d:%d,setsar=1,"
		"format=yuv420p,tpad=stop=-1:stop_mode=clone,settb=1/%d",
		input, canvas.width, canvas.height, canvas.width, canvas.height, FRAMES_A_SECOND);
}

/* perspective moves by parts of a pixel; zoompan would tremble. */
static void put_zoom(FILE *graph, int frames)
{
	double step = ZOOM / 2 / frames;

	(void)fprintf(graph,
		",perspective=eval=frame:x0=W*%g*on:y0=H*%g*on:x1=W-W*%g*on:y1=H*%g*on"
		":x2=W*%g*on:y2=H-H*%g*on:x3=W-W*%g*on:y3=H-H*%g*on",
		step, step, step, step, step, step, step, step);
}

/* A font for the caption: DejaVu, or what fontconfig finds for a character DejaVu may lack. */
static void put_font(FILE *graph, const char *text)
{
	static const char dejavu[] = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf";
	unsigned int rare = caption_rare(text);

	if (rare)
		(void)fprintf(graph, "font='sans\\:charset=%x'", rare);
	else if (access(dejavu, R_OK) == 0)
		(void)fprintf(graph, "fontfile=%s", dejavu);
	else
		(void)fputs("font='DejaVu Sans'", graph);
}

static void put_text(FILE *graph, const char *text, const char *file, int size, const char *place)
{
	(void)fputs(",drawtext=", graph);
	put_font(graph, text);
	(void)fprintf(graph,
		":textfile=%s:expansion=none:fontsize=%d:line_spacing=4:fontcolor=white:box=1"
		":boxcolor=black@0.55:boxborderw=7:%s",
		file, size, place);
}

static int write_text(const char *directory, const char *name, const char *text)
{
	AUTO_FREE char *path = NULL;
	FILE *file;
	bool is_bad;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	file = fopen(path, "we");
	if (!file)
		return -errno;
	is_bad = fputs(text, file) < 0;
	is_bad |= fclose(file) != 0;
	return is_bad ? -EIO : 0;
}

/* The prompt below, with a number where there are several; above it what was not fetched, so that
 * nobody takes a gradient for a bug. */
static int put_texts(FILE *graph, const struct shot *shot, struct canvas canvas)
{
	int columns = (canvas.width - 2 * MARGIN) / COLUMN_WIDTH;
	const struct scene *scene = shot->scene;
	const char *url = scene->first.url ? scene->first.url : scene->last.url;
	AUTO_FREE char *caption = NULL;
	AUTO_FREE char *prompt = NULL;
	AUTO_FREE char *label = NULL;
	AUTO_FREE char *lines = NULL;
	char number[16] = "";
	int error;

	if (shot->number)
		(void)snprintf(number, sizeof(number), "(%zu) ", shot->number + 1);
	if (asprintf(&prompt, "%s%s", number, scene->prompt) < 0)
		return -ENOMEM;
	caption = caption_wrap(prompt, columns, canvas.height / 3 / LINE_HEIGHT);
	error = caption ? write_text(shot->directory, "caption.txt", caption) : -ENOMEM;
	if (error)
		return error;
	put_text(graph, caption, "caption.txt", FONT_SIZE, "x=(w-tw)/2:y=h-th-14");
	if (!url)
		return 0;
	if (asprintf(&label, "simulated, not fetched: %s", url) < 0)
		return -ENOMEM;
	lines = caption_wrap(label, columns * 5 / 4, 3);
	error = lines ? write_text(shot->directory, "label.txt", lines) : -ENOMEM;
	if (!error)
		put_text(graph, lines, "label.txt", FONT_SIZE * 3 / 4, "x=14:y=14");
	return error;
}

/* A last frame is faded in and stands still for the last half second. */
static int add_graph(
	struct command *command, const struct shot *shot, struct canvas canvas, bool has_last)
{
	const struct scene *scene = shot->scene;
	int seconds = shot->task->seconds;
	AUTO_FREE char *graph = NULL;
	size_t size;
	FILE *stream = open_memstream(&graph, &size);
	int error = 0;

	if (!stream)
		return -ENOMEM;
	put_still(stream, 0, canvas);
	if (scene->first.picture && scene->first.picture->demuxer)
		put_zoom(stream, seconds * FRAMES_A_SECOND);
	if (has_last) {
		(void)fputs("[first];", stream);
		put_still(stream, 1, canvas);
		(void)fprintf(stream,
			"[last];[first][last]xfade=transition=fade:duration=1:offset=%g",
			fmax(seconds - 1.5, 0));
	}
	if (shot->with_text)
		error = put_texts(stream, shot, canvas);
	if (fclose(stream) != 0)
		error = -ENOMEM;
	error = error ? error : add(command, "-filter_complex");
	return error ? error : add(command, "%s", graph);
}

/* A film, or with frames 1 a picture. */
static int add_film(struct command *command, const struct shot *shot, int frames)
{
	const struct scene *scene = shot->scene;
	struct canvas canvas = canvas_of(scene);
	bool has_last = frames > 1 && (scene->last.picture || scene->last.url);
	int error = add_input(command, &scene->first, scene->prompt, canvas);

	if (!error && has_last)
		error = add_input(command, &scene->last, scene->prompt, canvas);
	if (!error)
		error = add_graph(command, shot, canvas, has_last);
	if (!error)
		error = add(command, "-frames:v");
	return error ? error : add(command, "%d", frames);
}

/* A tone that depends on the prompt. */
static int add_sound(struct command *command, const struct shot *shot)
{
	static const char *const generator[] = {"-f", "lavfi", "-i", NULL};
	unsigned int colours[2];
	int error = add_words(command, generator);

	colours_of(shot->scene->prompt, colours);
	return error ? error
	             : add(command, "sine=frequency=%u:duration=%d", 220 + colours[0] % 660,
			       shot->task->seconds);
}

int command_build(struct command *command, const struct shot *shot)
{
	static const char *const start[] = {"ffmpeg", "-nostdin", "-v", "error", "-y", "-timelimit",
		"60", "-threads", "1", "-filter_complex_threads", "1", "-protocol_whitelist",
		"file,pipe", NULL};
	static const char *const film[] = {"-an", "-c:v", "libx264", "-preset", "ultrafast", "-crf",
		"26", "-threads", "1", "-pix_fmt", "yuv420p", "-movflags", "+faststart", NULL};
	static const char *const jpeg[] = {"-pix_fmt", "yuvj420p", NULL};
	const char *type = shot->task->results[shot->number];
	enum kind kind = KIND_VIDEO;
	int error;

	*command = (struct command){{NULL}};
	(void)result_kind(type, &kind); /* only known types come here */
	error = add_words(command, start);
	if (!error && kind == KIND_AUDIO)
		error = add_sound(command, shot);
	else if (!error && kind == KIND_IMAGE)
		error = add_film(command, shot, 1);
	else if (!error)
		error = add_film(command, shot, shot->task->seconds * FRAMES_A_SECOND);
	if (!error && kind == KIND_VIDEO)
		error = add_words(command, film);
	if (!error && type[0] == 'j')
		error = add_words(command, jpeg);
	if (!error)
		error = add(command, "part.%s", type);
	if (error)
		command_free(command);
	return error;
}

void command_free(struct command *command)
{
	for (size_t i = 0; command->arguments[i]; i++)
		free(command->arguments[i]);
	command->arguments[0] = NULL;
}
