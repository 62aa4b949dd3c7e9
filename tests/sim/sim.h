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
 *   host.c      host.h, and what the mount tells
 *   life.c      starts, clean ends and crashes of the engine, at any commit and any effect
 *   oracle.c    what must hold
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
struct job;
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
	bool verbose;
	char failure[512];
	bool bug; /* the engine called something a bug */
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
/* The mount is gone: what was being written stays as it is. */
void user_cut_off(void);

/* The order that a job's files say, a number below ORDERS; -1: none, or not a whole one. busy: a
 * file of it is being written. takes: how many are asked for. */
int user_says(int job, bool *busy, int *takes);
bool user_has_files(int job);
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

struct task {
	int order, left, videos;
	bool fails;
	char id[16];
};
#define TASKS 256
extern struct task task[TASKS];
extern int tasks;

void provider_begin(void);
void provider_be_kind(bool kind); /* from here on everything works */
/* What becomes of the next creates, a letter each: accepted 'a', accepted and the task fails 'f',
 * accepted or not and the answer lost 'l' 'n', not now 'w', refused 'r', no money 'b'. */
void provider_script(const char *outcomes);
/* When the next answer comes; INT64_MAX: none is under way. */
int64_t provider_next_ms(void);
/* Delivers what is due. */
void provider_deliver(void);
/* The bytes of a video; how many. */
size_t provider_video(const char *name, char bytes[256]);

/* ------------------------------------------------------------------ host.c */

extern const struct host sim_host;
void host_begin(void);
void host_be_kind(bool kind);
/* What becomes of the next video that is published: -errno. */
void host_fail_next(int error);
int64_t host_next_ms(void);
void host_deliver(void);
/* A kill: some of what was handed over was carried out, none is told. */
void host_drop(void);

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
extern bool life_cannot_count; /* journal_spending() fails */
extern bool life_was_restored; /* a start took the journal for another */
/* Transitions that were never made, and are in the table; how many. */
int life_missing(FILE *file);

/* ------------------------------------------------------------------ oracle.c */

void oracle_check(void);
void oracle_events(void);

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
	STEP_STOP,
	STEP_START,
	STEP_LATE,
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
