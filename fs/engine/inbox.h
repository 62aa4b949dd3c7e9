/*
 * inbox.h - the one queue by which other threads hand work to the engine.
 * Posting copies, never blocks, and wakes the engine.
 */
#ifndef KINOFS_ENGINE_INBOX_H
#define KINOFS_ENGINE_INBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

enum message_kind {
	MESSAGE_CHANGED,   /* first: the path; number: when, wall ms */
	MESSAGE_REMOVED,   /* first: the path */
	MESSAGE_OWNER,     /* first: the path of a file that has another owner, or mode */
	MESSAGE_MOVED,     /* first, second: from, to */
	MESSAGE_FOUND,     /* first: a path found at start; number: enum found */
	MESSAGE_PUBLISHED, /* number: which result (deliver.c); error: what became of it */
	MESSAGE_SYNCED,    /* the same */
	MESSAGE_MARKED,    /* the same; first, second, third: as struct marked has them */
	MESSAGE_COMMAND,   /* first: the line */
	MESSAGE_FORGET,    /* first, second, third: model, dir, stem */
	MESSAGE_HASHED,    /* first, second, third: model, dir, stem, for whom a picture was */
	MESSAGE_FRAMED,    /* frames were made (frames.h) */
	MESSAGE_RENEWED,   /* the configuration was read anew (renew.h) */
	MESSAGE_STOP,
};

/* Where the sender of a command waits for its answer. */
struct answer {
	pthread_mutex_t lock;
	pthread_cond_t ready;
	bool done;
	int error;
	char *text;
};

struct config;
struct person;
struct message {
	enum message_kind kind;
	char *first, *second, *third;
	int64_t number;
	int error;
	struct answer *answer;      /* or NULL */
	const struct person *asker; /* of an order, who waits for its answer; or NULL (owner.h) */
	struct config *fresh;       /* MESSAGE_RENEWED: of who waits for the answer; or NULL */
	int64_t posted_ms;          /* clock_steady_ms(); the inbox sets it */
	STAILQ_ENTRY(message) entry;
};

STAILQ_HEAD(message_list, message);

struct inbox {
	pthread_mutex_t lock;
	struct message_list list;
	bool closed; /* the engine has ended: nothing is taken any more */
	void (*wake)(void *context);
	void *context;
};

void inbox_init(struct inbox *inbox, void (*wake)(void *context), void *context);
void inbox_destroy(struct inbox *inbox);

/* Copies the strings (any may be NULL). 0, -ENOMEM, or -ESHUTDOWN. */
int inbox_post(struct inbox *inbox, const struct message *message);
/* The same for what most messages are: one or two paths and a number. */
int inbox_post_text(struct inbox *inbox, enum message_kind kind, const char *first,
	const char *second, int64_t number);
/* Posts and waits for the answer: its error; *text is the caller's to free. */
int inbox_ask(struct inbox *inbox, const struct message *message, char **text);
/* Takes everything posted so far. */
void inbox_take(struct inbox *inbox, struct message_list *list);
/* Takes nothing any more; what waits for an answer gets -ESHUTDOWN. */
void inbox_close(struct inbox *inbox);

/* Answers (when someone waits) and frees. text is taken over. */
void message_end(struct message *message, int error, char *text);

#endif
