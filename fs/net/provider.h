/*
 * provider.h - what differs between the APIs, as pure functions: requests are
 * built and answers are read here, sent and received elsewhere. Bytes in, a
 * struct out; no I/O, no state; fuzzed and unit-tested as they are.
 *
 * One const table per API (provider_kie, provider_ppinfra). A new one is a file
 * beside kie.c, and a row here and in provider.c.
 */
#ifndef KINOFS_NET_PROVIDER_H
#define KINOFS_NET_PROVIDER_H

#include "fs/net/http.h"
#include "spec/model.h"

/* Where an account lives: from the configuration. While mounted only its key may become another. */
struct account {
	char *base_url;   /* no trailing slash */
	char *upload_url; /* kie: the upload host; ppinfra: NULL */
	char *key;        /* NULL: none configured */
	bool key_given;   /* by the environment, which goes before every file */
	int creates;      /* allowed creates (0: no limit) … */
	int64_t per_ms;   /* … in this many milliseconds */
};

enum create_verdict {
	CREATE_ACCEPTED, /* task holds the id */
	CREATE_LATER,    /* surely not accepted, for now: send again after a pause */
	CREATE_BLOCKED,  /* surely not accepted until the user mends key, balance or quota: hold */
	CREATE_REFUSED,  /* surely not accepted, and never will be: failed */
	CREATE_UNKNOWN,  /* may have been accepted: never send again by itself */
};

struct create_answer {
	enum create_verdict verdict;
	char *task;  /* accepted: the provider's task id, checked: 1–128 of [A-Za-z0-9._-] */
	char *words; /* otherwise: the provider's (or curl's) own words, printable */
	const char *advice;     /* otherwise: what to do next; static */
	bool names_picture;     /* words speak of a picture, a file or a link */
	int code;               /* kie: body code; ppinfra: HTTP status; 0: none */
	int64_t retry_after_ms; /* -1: not said */
};

enum poll_verdict {
	POLL_RUNNING,   /* also for every state not known */
	POLL_SUCCEEDED, /* url[] holds the results */
	POLL_NOTHING,   /* done, but the answer names no result: words */
	POLL_FAILED,    /* the provider's final word: words */
	POLL_NOT_KNOWN, /* it does not know the task (may pass right after a create) */
	POLL_BLOCKED,   /* key refused: the task is not lost, polling goes on slowly */
	POLL_ERROR,     /* the query failed, which says nothing about the task */
};

struct poll_answer {
	enum poll_verdict verdict;
	char *state;  /* the provider's own word for its state, printable; NULL: none */
	int progress; /* percent, -1: not said */
	char **url;   /* nurl of them, at most LIMIT_RESULT_URLS */
	size_t nurl, url_room;
	size_t stills;          /* so many of them, the last: frames that go with a video */
	size_t left;            /* results beyond those, or whose link is none */
	bool short_of_memory;   /* for some of them: POLL_ERROR */
	int64_t lifetime_ms;    /* of the links; -1: not said */
	double credits;         /* really consumed; NAN: not said */
	int64_t took_ms;        /* from its creation to its end, by its clock; -1: not said */
	char *words;            /* printable; failed, blocked, error */
	bool names_picture;     /* failed: words speak of a picture, a file or a link */
	const char *advice;     /* static; NULL when there is none */
	int64_t retry_after_ms; /* -1: not said */
};

#define UPLOAD_FIELDS 4

enum upload_verdict { UPLOAD_OK, UPLOAD_RETRY, UPLOAD_BLOCKED, UPLOAD_REFUSED };

struct upload_answer {
	enum upload_verdict verdict;
	char *url; /* http(s) */
	char *words;
	const char *advice;
};

struct balance_answer {
	bool known;
	double amount;
	const char *unit; /* "credits"; static */
	char *words;      /* why not known */
};

struct provider {
	const char *name;  /* "kie" */
	const char *title; /* "kie.ai" */
	bool endpoints;    /* each model has a URL of its own: its file names the last part */
	bool uploads; /* local pictures go to the upload host first; else inline as data URIs */
	int64_t link_lifetime_ms; /* how long result links live when the answer does not say */
	const char *default_base_url, *default_upload_url;
	int default_creates;
	int64_t default_per_ms;
	bool creates_per_model;           /* the rate limit is per model, not per account */
	const char *creates_key;          /* default_creates, as the configuration names it */
	const char *const *key_variables; /* environment, first set one wins; NULL-terminated */
	const char *url_variable;         /* environment: base_url; upload_url, NULL: none */
	const char *upload_url_variable;

	/* Each returns a URL to free(), NULL: no memory. */
	char *(*create_url)(const struct account *account, const struct model *model);
	char *(*poll_url)(const struct account *account, const char *task);
	char *(*upload_url)(const struct account *account); /* NULL unless uploads */
	/* The fields beside the file of an upload, so that it gets this name: at most
	 * UPLOAD_FIELDS. NULL unless uploads. Returns how many; they point to name and to what is
	 * static. */
	size_t (*upload_form)(const char *name, struct http_field field[UPLOAD_FIELDS]);
	char *(*balance_url)(const struct account *account);
	/* kie's download-url for an expired link: URL and JSON body; NULL when there is none */
	char *(*refresh_url)(const struct account *account);
	char *(*refresh_body)(const char *link);

	/* Each fills every member of the zeroed answer; answers are cleared by the caller. */
	void (*read_create)(const struct http_reply *reply, struct create_answer *answer);
	/* results: what the model makes, a mask of enum result_kind; where an answer names several
	 * kinds, these count, and others only if there is nothing of these. */
	void (*read_poll)(
		const struct http_reply *reply, unsigned int results, struct poll_answer *answer);
	void (*read_upload)(const struct http_reply *reply, struct upload_answer *answer);
	void (*read_balance)(const struct http_reply *reply, struct balance_answer *answer);
	char *(*read_refresh)(const struct http_reply *reply); /* a fresh link, or NULL */
};

#define PROVIDERS 2
extern const struct provider provider_kie;
extern const struct provider provider_ppinfra;

/* By name ("kie", "ppinfra"), or NULL. provider_at(0…) walks them, NULL at the end. */
const struct provider *provider_find(const char *name);
const struct provider *provider_at(size_t index);
size_t provider_index(const struct provider *provider);

void create_answer_clear(struct create_answer *answer);
void poll_answer_clear(struct poll_answer *answer);
void upload_answer_clear(struct upload_answer *answer);
void balance_answer_clear(struct balance_answer *answer);

#endif
