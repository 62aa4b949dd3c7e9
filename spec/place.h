/*
 * place.h - what a path in the mount means: which model, which part of its
 * directory, and what a file of that name is for. The pairing rules of
 * fs/README.md 1, as one pure function.
 */
#ifndef KINOFS_SPEC_PLACE_H
#define KINOFS_SPEC_PLACE_H

#include "spec/model.h"

enum area {
	AREA_NONE,    /* outside every model directory, or in a hidden folder */
	AREA_INPUT,   /* where drops are jobs */
	AREA_OUT,     /* MODEL/out and below */
	AREA_JOBS,    /* MODEL/jobs and below */
	AREA_CONTROL, /* .kinofs and below */
};

enum role {
	ROLE_NONE, /* an ordinary file: stored, starts nothing */
	ROLE_SPEC, /* NAME.json */
	ROLE_PROMPT,
	ROLE_MEDIA,    /* a picture, film or sound, NAME[.MARK].SUFFIX */
	ROLE_BATCH,    /* NAME.jsonl */
	ROLE_DEFAULTS, /* defaults.json */
};

/* What a file of some name in an input folder is for. */
struct named {
	enum role role;
	size_t at, stem;               /* where in the name the job's name begins, and its bytes */
	const struct model_slot *slot; /* of media; NULL: the model has none for such a picture */
	int number;                    /* in the slot, from 1 */
	bool is_end;                   /* it has a mark of a last frame */
};

struct place {
	const struct model *model; /* NULL in AREA_NONE and AREA_CONTROL */
	enum area area;
	enum role role;                /* ROLE_NONE unless AREA_INPUT */
	const struct model_slot *slot; /* of ROLE_MEDIA, as in struct named */
	char *dir;  /* folder of the path inside its area, "" at its top, "summer" below */
	char *stem; /* job name without folder ("dog" for dog.end.png); NULL: no job file.
	               In AREA_JOBS the stem of NAME.json, in AREA_OUT NULL. */
};

/* path: relative to the mount, no leading slash, no "." or ".." parts; any bytes. 0 or -ENOMEM.
 * The last part of the path is taken as the name of a file: to ask about the inside of a folder,
 * pass "DIR/x". So a model directory itself is in AREA_NONE, and MODEL/out and MODEL/jobs are names
 * in AREA_INPUT; only .kinofs is already in its own area. */
int place_of(const struct model_set *models, const char *path, struct place *place);
void place_clear(struct place *place);

/* Whether a file of this name (no folder) is never submitted: README.*, LICENSE.*, dotfiles, names
 * ending "~", "#…#", 4913, .swp .swx .tmp .part .partial .crdownload .filepart .bak .lock .save,
 * sed?????? and tmp???????? temporaries. */
bool name_is_scratch(const char *name);

/* Whether a file of this name (no folder) is a video, a picture or a sound, by its suffix: one of
 * those that result_check() (fs/net/result.h) gives to what a model may make, .m4v or .jpeg. */
bool name_is_result(const char *name);
/* Those suffixes, from 0 on; NULL: there are no more. */
const char *name_result_suffix(size_t number);

/* How many bytes at the end of such a name say that it is a note (".error.txt"); 0: it is none. */
size_t name_note(const char *name);

/* What a file of this name (no folder) in an input folder of the model is for. at_top: right in the
 * model directory. Marks of pictures, films and sounds count as the model declares them (model.h);
 * those of a last frame (.end _end -end .last _last .tail) always do. */
struct named name_role(const struct model *model, const char *name, bool at_top);

/* The same of a scratch copy that may become such a file when it is whole: NAME.part, .partial,
 * .tmp, .crdownload, .filepart (browsers, KIO), .NAME.XXXXXX (rsync). */
struct named name_role_to_be(const struct model *model, const char *name, bool at_top);

/* The same of the file that an editor has open, by the name of the lock or swap file that it has
 * beside it for so long: .NAME.swp (Vim, .swo …, nano), .#NAME (Emacs, joe), .~lock.NAME#
 * (LibreOffice), .NAME.kate-swp. */
struct named name_role_locked(const struct model *model, const char *name, bool at_top);

#define PLACE_NAME_MAX 255 /* bytes that a name has in a folder: NAME_MAX, in limits.h of Linux */

/* STEM and what follows it (".mp4", ".2-2.mp4", ".error.txt") as a name of at most so many bytes,
 * 100 or more. A longer one is cut at a character's end, and "~" with 16 digits of the whole stem's
 * SHA-256 stands for the rest. The caller frees. NULL: no memory. */
char *place_fit(const char *stem, const char *tail, size_t name_max);
/* Whether a stem looks like one that was cut. */
bool place_is_cut(const char *stem);
/* Whether it is what place_fit() cuts this stem to for some tail and some number of bytes. */
bool place_is_cut_of(const char *cut, const char *stem);

/* The mount-relative path of a job's file, its name made to fit PLACE_NAME_MAX: "MODEL[/DIR]/NAME",
 * or "MODEL/out[/DIR]/…" with area AREA_OUT, "MODEL/jobs[/DIR]/…" with AREA_JOBS. The caller frees.
 * NULL: no memory. */
char *place_path(const struct model *model, enum area area, const char *dir, const char *stem,
	const char *tail);

#endif
