#include "fs/input/editor.h"

#include "fs/base/array.h"
#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/path.h"
#include "spec/text.h"

#include <string.h>

#define READ_BYTES  1024 /* what is told stands in the first 108 bytes, or in one line */
#define SHOWN_CHARS 64

struct editor {
	const char *program;
	char *user, *host; /* NULL: that is not told */
};

static char *take(const char *text, size_t bytes)
{
	return bytes ? text_printable(text, bytes, SHOWN_CHARS) : NULL;
}

/* A field of fixed length, which ends with a NUL before that. */
static char *take_field(const char *text, size_t bytes, size_t at, size_t room)
{
	return at + room <= bytes ? take(text + at, strnlen(text + at, room)) : NULL;
}

/* Block 0 of Vim's swap file (struct block0 in its memline.c): "b0", a version of 10 bytes, four
 * numbers of 4, the user and the host of 40 each. nano writes the same, with its own name as the
 * version and shorter fields in their places (do_lockfile() in its files.c). */
static void read_swap(const char *text, size_t bytes, struct editor *editor)
{
	editor->program = "Vim";
	if (bytes < 12 || strncmp(text, "b0", 2) != 0)
		return;
	if (!strncmp(text + 2, "nano ", 5))
		editor->program = "nano";
	editor->user = take_field(text, bytes, 28, 40);
	editor->host = take_field(text, bytes, 68, 40);
}

/* USER@HOST.PID, of Emacs with ":BOOT" behind it (The GNU Emacs Lisp Reference Manual, "File
 * Locks"): where the link leads, or, on a filesystem without links, what is in the file. */
static void read_link(const char *text, size_t bytes, struct editor *editor)
{
	const char *at = memchr(text, '@', bytes);
	size_t user = at ? (size_t)(at - text) : 0, host = 0;

	editor->program = "Emacs";
	if (!user)
		return;
	for (size_t i = user + 1; i < bytes && text[i] != ':' && text[i] != '\n'; i++)
		if (text[i] == '.')
			host = i - user - 1; /* the last one is that of the process id */
	editor->user = take(text, user);
	editor->host = take(at + 1, host);
}

/* NAME,ACCOUNT,HOST,TIME,PROFILE; (LibreOffice: svl/source/misc/lockfilecommon.cxx). The name may
 * be empty. */
static void read_fields(const char *text, size_t bytes, struct editor *editor)
{
	const char *field[3] = {0};
	size_t length[3] = {0};

	editor->program = "LibreOffice";
	for (size_t i = 0; i < COUNT(field) && bytes; i++) {
		const char *comma = memchr(text, ',', bytes);

		if (!comma)
			return;
		field[i] = text;
		length[i] = (size_t)(comma - text);
		bytes -= length[i] + 1;
		text = comma + 1;
	}
	editor->user = length[0] ? take(field[0], length[0]) : take(field[1], length[1]);
	editor->host = take(field[2], length[2]);
}

static void read_nothing(const char *text, size_t bytes, struct editor *editor)
{
	(void)text;
	(void)bytes;
	editor->program = "Kate";
}

static void (*reader_of(const char *name))(const char *, size_t, struct editor *)
{
	if (!strncmp(name, ".#", 2))
		return read_link;
	if (!strncmp(name, ".~lock.", 7))
		return read_fields;
	return strstr(name, ".kate-swp") ? read_nothing : read_swap;
}

char *editor_of(const struct tree *tree, const char *path)
{
	char target[READ_BYTES];
	AUTO_FREE char *read = NULL, *user = NULL, *host = NULL;
	const char *text = target;
	struct editor editor = {0};
	size_t bytes = 0;

	if (tree_read_link(tree, path, target, sizeof(target)) == 0)
		bytes = strlen(target);
	else if (tree_read(tree, path, READ_BYTES, &read, &bytes) == 0)
		text = read;
	reader_of(path_last(path))(text, bytes, &editor);
	user = editor.user;
	host = editor.host;
	return format("%s%s%s%s%s", editor.program, user ? ", " : "", user ? user : "",
		user && host ? " on " : "", user && host ? host : "");
}
