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
	ROLE_FIRST_FRAME,
	ROLE_LAST_FRAME,
	ROLE_BATCH,    /* NAME.jsonl */
	ROLE_DEFAULTS, /* defaults.json */
};

struct place {
	const struct model *model; /* NULL in AREA_NONE and AREA_CONTROL */
	enum area area;
	enum role role; /* ROLE_NONE unless AREA_INPUT */
	char *dir;      /* folder of the path inside its area, "" at its top, "summer" below */
	char *stem;     /* job name without folder ("dog" for dog.end.png); NULL: no job file.
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

/* Whether a file of this name (no folder) is a video, by its suffix: one of those that
 * video_check() (fs/net/video.h) gives to results, or .m4v. */
bool name_is_video(const char *name);

/* What a file of this name (no folder) in an input folder is for, and how many bytes of the name
 * are the job's. at_top: right in the model directory. */
enum role name_role(const char *name, bool at_top, size_t *stem);

/* The same of a scratch copy that may become such a file when it is whole: NAME.part, .partial,
 * .tmp, .crdownload, .filepart (browsers, KIO), .NAME.XXXXXX (rsync). *at: where in the name the
 * job's part begins. */
enum role name_role_to_be(const char *name, bool at_top, size_t *at, size_t *stem);

/* The mount-relative path of a job's file: "MODEL[/DIR]/STEM.SUFFIX", or of "MODEL/out[/DIR]/…"
 * with area AREA_OUT, "MODEL/jobs[/DIR]/…" with AREA_JOBS. The caller frees. NULL: no memory. */
char *place_path(const struct model *model, enum area area, const char *dir, const char *stem,
	const char *suffix);

#endif
