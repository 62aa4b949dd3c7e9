/*
 * sim.h - the engine simulated: real journal code on a real SQLite file, but the clock, the
 * provider, the mount and the user are made here, from a seed. One process, one thread.
 *
 *   main.c      seeds, arguments, shrinking
 *   steps.c     what happens in a history, drawn from a seed, done and printed
 *   sim.c       the frame
 *   user.c      the user's files, and what they say
 *   clock.c     the clock, and the times of files
 *   provider.c  http.h, without a network
 *   results.c   what the links of results lead to
 *   host.c      host.h, and what the mount tells
 *   life.c      starts, clean ends and crashes of the engine, at any commit and any effect
 *   power.c     crashes at any change of a file, with what was not synced lost
 *   oracle.c    what must hold
 *   notes.c     what must stand in out/
 *   allowed.c   how often an order may be paid for
 */
#ifndef KINOFS_TESTS_SIM_SIM_H
#define KINOFS_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

struct engine;
struct host;
struct http_request;
struct job;
struct job_row;
struct journal;
struct model;
struct model_set;

/* ------------------------------------------------------------------ chance */

/* 0 … below-1 of a stream of its own: what one part of the simulation draws does not change what
 * another gets, so that a shorter history still meets the same provider. */
enum stream {
	STREAM_STEPS,
	STREAM_CREATE,
	STREAM_POLL,
	STREAM_FILE,
	STREAM_HOST,
	STREAM_JITTER,
	STREAM_SLICE,
	STREAM_POWER,
	STREAM_MARKS,
	STREAMS
};
void chance_seed(uint64_t seed);
unsigned chance(enum stream stream, unsigned below);

/* ------------------------------------------------------------------ clock.c */

void clock_begin(void);
void clock_go_to(int64_t steady_ms);
/* Jumps of the wall clock alone. */
void clock_set_wall(int64_t by_ms);
/* The file has changed now; made: it is new. */
void times_changed(const struct stat *info, bool made);

/* ------------------------------------------------------------------ user.c */

#define MODELS 3
#define DIRS   3 /* "", "s" and "t" */
#define STEMS  3
#define KINDS  3
#define PLACES (MODELS * DIRS * STEMS * KINDS)
#define JOBS   (MODELS * DIRS * STEMS)
#define ORDERS 64 /* distinct ones in one history */

enum kind { KIND_SPEC, KIND_PROMPT, KIND_PICTURE };

#define TAKES_MAX 100

/* What a file says; -1: nothing. */
struct content {
	int prompt, takes, flag, picture; /* takes above TAKES_MAX: a spec that is not sound */
	bool half;                        /* its writer never finished */
};

struct file {
	int place;    /* PLACES + model * DIRS + dir: a defaults.json; -1: none */
	bool scratch; /* it stands as NAME.part beside its place */
	struct content content;
	int64_t saved_ms;
	int fd, writing; /* -1: nobody writes it */
	ino_t ino;
};

#define FILES 128

struct sim {
	char root[64]; /* of everything */
	char store[80], tree[96];
	int store_fd, tree_fd;
	struct model_set *models;
	const struct model *model[MODELS];
	struct file file[FILES];
	int files;
	bool open[JOBS];     /* an editor has its prompt open, and a lock file beside it */
	bool verbose, power; /* power: crashes are power cuts */
	bool marks;          /* each start draws what films say of themselves; else nothing */
	char failure[512];
	bool bug;      /* the engine called something a bug */
	int64_t event; /* the number of the last event that anyone may have read */
};
extern struct sim sim;

/* A directory of its own, and its end. */
void sim_open(void);
void sim_close(void);
/* A new history: an empty store, mounted. */
void sim_begin(uint64_t seed);

void failed(const char *format, ...) __attribute__((format(printf, 1, 2)));

int place_at(int model, int dir, int stem, enum kind kind);
int job_at(int place);
/* "MODEL/DIR/STEM.SUFFIX", in a buffer that is used again after a while. */
const char *place_name(int place, bool scratch);
const char *job_name_at(int job, bool out);

void user_begin(void);
void user_end(void);
struct file *user_find(int place, bool scratch);
/* Each does it to the tree, tells the engine, and notes what may be ordered. Those that make no
 * sense now do nothing. */
void user_write(int place, const struct content *content, bool scratch);
void user_open(int place, const struct content *content);
void user_close(struct file *file);
void user_rename(int from, bool scratch, int to);
void user_exchange(int one, int other);
void user_remove(int place);
void user_move_folder(int model, int from, int to);
/* An editor opens the prompt of a job, or closes it. */
void user_edit(int job, bool open);
/* The mount is gone: what was being written stays as it is. */
void user_cut_off(void);

/* The order that a job's files say, a number below ORDERS; -1: none, or not a whole one. busy: a
 * file of it is being written. takes: how many are asked for. */
int user_says(int job, bool *busy, int *takes);
bool user_has_files(int job);
/* A program died while it wrote one of them. */
bool user_left_half(int job);
/* The number of an order by its text, "MODEL|PROMPT|FLAG|PICTURE". */
int order_number(const char *text);
const char *order_text(int order);
const char *prompt_text(int prompt);
const char *picture_bytes(int picture, size_t *count);
const char *picture_digest(int picture);

/* ------------------------------------------------------------------ allowed.c */

void allowed_begin(void);
/* The files of this job have changed; saved_ms: when the bytes that came were saved. */
void allowed_learn(int job, int64_t saved_ms);
void allowed_learn_all(int64_t saved_ms);
/* The user asked for more of whatever this job is or was. */
void allowed_more(int job, int count);
/* answered: the user was told so; else it may not have come that far. */
void allowed_cancelled(int job, bool answered);
void allowed_forgotten(int job);
/* A create of this order reached the provider, which took it. */
void allowed_taken(int order);
/* The provider told that a task of this order failed. */
void allowed_task_failed(int order);
/* A create is sent now: whether it may be. */
void allowed_sent(int order);
int allowed_count(int order);
void allowed_refused(int order);
void allowed_refused_all(void); /* a picture was, of whatever order */
/* Of a job: whether this was ever done to what its files say, or said. underneath: they changed
 * last while nothing was mounted. */
bool allowed_was_cancelled(int job), allowed_was_forgotten(int job);
bool allowed_was_underneath(int job), allowed_has_failed(int job);

/* ------------------------------------------------------------------ provider.c */

#define RESULTS_MAX 4
#define VERSIONS    4

struct task {
	int order, left, polls, first_told; /* first_told: which poll named its results first */
	int64_t ends_ms, told_ms;           /* steady; ends_ms 0: `left` says when */
	bool blames_picture;
	bool fails, names_nothing;
	char id[16];
	char results[RESULTS_MAX + 1]; /* a letter each, see results_script() */
	int version[RESULTS_MAX];      /* that the server has now */
	int server, cuts;
};
#define TASKS 256
extern struct task task[TASKS];
extern int tasks, provider_uploads, provider_polls, provider_renewed; /* links */

void provider_begin(void);
void provider_be_kind(bool kind); /* from here on everything works */
/* What becomes of the next creates, a letter each: accepted 'a', slowly 'd', and the task fails
 * 'f', by its picture 'q', accepted and done without a result 'e', accepted or not and the answer
 * lost 'l' 'n', not now 'w', refused 'r', its picture refused 'p', no money 'b', accepted and told
 * the id of the first task 's', refused before its end came, if none comes, 'h'; before them, 'u'
 * for each upload that fails. */
void provider_script(const char *outcomes);
/* Which results each answer names from now on, a digit each, and in which order; and what their
 * links begin with. NULL: all, as they are. */
void provider_name(const char *numbers, const char *path);
/* Its service for new links knows them all, if they are its own. */
void provider_renew_links(void);
/* Polls and downloads of the tasks below these numbers are never answered. */
void provider_hang(int polls, int files);
/* The tasks below this number are not known; or run for ever, in a state nobody knows. */
void provider_lose(int count), provider_never_end(int count);
/* From now on tasks take this long, give or take a tenth; 0: a few polls. */
void provider_take(int64_t ms);
/* The most polls that came within a second. */
int provider_peak(void);
/* When the next answer comes; INT64_MAX: none is under way. */
int64_t provider_next_ms(void);
/* Delivers what is due. */
void provider_deliver(void);

/* ------------------------------------------------------------------ results.c */

enum {
	SERVER_HAS_NO_VALIDATOR = 1,
	SERVER_TELLS_NO_LENGTH = 2,
	SERVER_MARKS_NO_END = 4, /* if it tells no length */
	SERVER_IGNORES_VERSIONS = 8,
	SERVER_GIVES_PIECES = 16,  /* of the rest of a file, the next few bytes */
	SERVER_KEEPS_ITS_TAG = 32, /* whatever becomes of the file */
	SERVER_KNOWS_NO_RANGES = 64,
};

#define RESULT_BYTES 256

struct download {
	long status;
	int result;          /* CURLcode */
	size_t start, bytes; /* it comes from there to there */
	int64_t length;
	bool is_marked, has_validator;
	char validator[16];
	char content[RESULT_BYTES];
};

void results_begin(void);
/* What the next task has: an MP4 'g', a WebM of which no cut is seen 'w', a picture 'p', a page of
 * words 'h', bytes of no kind 'x', nothing 'd', no link 'u'. */
void results_script(const char *letters, int server);
/* The next downloads break off. */
void results_break_off(int times);
void results_draw(struct task *of, bool is_kind);
/* The bytes of a version of a result; how many. */
size_t results_bytes(char letter, const char *name, int version, char bytes[RESULT_BYTES]);
bool results_arrives(char letter);
void results_answer(
	struct download *to, const char *name, const struct http_request *request, bool is_kind);

/* ------------------------------------------------------------------ host.c */

extern const struct host sim_host;
void host_begin(void);
void host_be_kind(bool kind);
/* What becomes of the next video that is published: -errno; or of all, until 0. */
void host_fail_next(int error), host_fail_all(int error);
/* Videos get their names, which do not become durable. */
void host_fail_entries(bool fails);
/* What becomes of notes, written and removed, until 0; -ESHUTDOWN: they are not even taken. */
void host_fail_notes(int error);
/* How long each takes from now on. */
void host_delay_notes(int64_t after_ms);
/* What becomes of each sync from now on, and how long it takes. */
void host_sync(bool fails, int64_t after_ms);
int64_t host_next_ms(void);
void host_deliver(void);
/* A kill: some of what was handed over was carried out, none is told. */
void host_drop(void);
/* So much of a part in incoming/ is another content from now on. */
void host_written(int fd, int64_t from);
/* Whether a crash is a loss of power, and what it leaves of bytes that were not synced. */
enum losses { LOSES_NOTHING, LOSES_SOME, LEAVES_ZEROS };
void host_lose_power(enum losses losses);
void host_crash(void);
/* out/NAME at the root shows this result, and nothing else does. */
void host_shows(const char *name, const char *path);
/* The warning of what was spent, "": there is none. */
extern char host_warning[1024];
/* So much is free on the store's disk, to who asks. */
void host_set_free(int64_t bytes);

enum told { TOLD_CHANGED, TOLD_REMOVED, TOLD_MOVED };
/* writing: ends with the report, -1: none. */
void host_tell(enum told told, const char *path, const char *to, int writing);
/* How late reports come from now on. */
void host_be_late(int64_t ms);

/* ------------------------------------------------------------------ life.c */

extern struct engine *engine; /* NULL: nothing is mounted */
extern bool life_is_dead;     /* it was killed; what it still does has no effect */
extern int life_starts, life_crashes;

void life_begin(void);
void life_start(void);
void life_crash(void);
void life_reboot(void); /* the next start is after another one of the machine */
void life_stop(void);
void life_end(void);
/* Killed at the so manieth effect or commit from now on. */
void life_crash_after(int effects);
/* Something with an effect is about to happen: false: the process is dead, so it does not. */
bool life_effect(void);
/* Lets time pass. */
void life_run(int64_t for_ms);
/* Until nothing is to come any more, or for so long. */
void life_rest(int64_t at_most_ms);
/* A line to .kinofs/ctl, or "forget PATH"; 0 or -errno. */
int life_order(const char *line, int job);
struct journal *life_journal(void);
struct config *life_config(void);
extern bool life_cannot_count;  /* journal_spending() fails */
extern bool life_cannot_commit; /* journal_commit() does */
extern int life_looks_at_all;   /* how often all jobs in memory were listed */
extern int life_hashed;         /* how many files were */
extern int life_cannot_hash;    /* -errno of every digest; 0: none */
extern int64_t life_sleeps_ms;  /* the machine does, so long, after the next commit */
extern bool life_was_restored;  /* a start took the journal for another */
extern bool life_looks_late;    /* no start looks through the tree until this history is over */
/* Transitions that were never made, and are in the table; how many. */
int life_missing(FILE *file);

/* ------------------------------------------------------------------ power.c */

/* All of these do nothing without sim.power. */
void power_begin(void); /* what is in the store now is durable */
void power_end(void);
void power_engine_works(bool works); /* what is done meanwhile is durable only when synced */
void power_cut_after(int calls);
void power_cut(void);  /* now */
void power_lose(void); /* once nothing works any more */

/* ------------------------------------------------------------------ oracle.c */

void oracle_check(void);
void oracle_events(void);
/* The last line of events.jsonl is new: whoever reads it has never seen its number. */
void oracle_event_came(void);

/* ------------------------------------------------------------------ notes.c */

void notes_check(struct job_row *const *rows, size_t count);

/* ------------------------------------------------------------------ steps.c */

enum step_kind {
	STEP_WRITE,
	STEP_OPEN,
	STEP_CLOSE,
	STEP_SCRATCH,
	STEP_UNSCRATCH,
	STEP_RENAME,
	STEP_RENAME_JOB,
	STEP_EXCHANGE,
	STEP_EXCHANGE_JOBS,
	STEP_REMOVE,
	STEP_REMOVE_JOB,
	STEP_FOLDER,
	STEP_ORDER,
	STEP_WAIT,
	STEP_CRASH,
	STEP_CRASH_AFTER,
	STEP_RECOVER,
	STEP_STOP,
	STEP_START,
	STEP_LATE,
	STEP_EDIT,
	STEP_KINDS,
};

struct step {
	enum step_kind kind;
	int a, b, number;
	struct content content;
};
#define STEPS 32

size_t steps_draw(struct step step[STEPS]);
void step_do(const struct step *step);
void step_print(const struct step *step, FILE *file);

#endif
