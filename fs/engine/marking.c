#include "fs/engine/marking.h"

#include "fs/base/cleanup.h"
#include "fs/base/digest.h"
#include "fs/base/format.h"
#include "fs/engine/core.h"
#include "fs/engine/deliver.h"
#include "fs/engine/part.h"
#include "fs/net/provenance.h"
#include "fs/net/result.h"
#include "spec/address.h"
#include "spec/spec.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK_BYTES (256 * 1024)

/* A film to be marked. */
struct marking {
	int64_t which;
	int fd;
	int64_t bytes, moov; /* of the file as it came */
	bool wanted;         /* else what was written of marks is taken back, and no more */
	struct provenance says;
	char *model, *task, *prompt, *parameters; /* what that points to */
	int error;
	char came[DIGEST_HEX_BYTES], is[DIGEST_HEX_BYTES];
	char *left;
	STAILQ_ENTRY(marking) entry;
};

struct markings {
	struct inbox *inbox;
	pthread_t thread;
	bool may_run, running;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t more;
	bool stop;
	STAILQ_HEAD(, marking) wanted;
};

static void marking_free(struct marking *marking)
{
	cleanup_fd(&marking->fd);
	free(marking->model);
	free(marking->task);
	free(marking->prompt);
	free(marking->parameters);
	free(marking->left);
	free(marking);
}

/* ------------------------------------------------------------------ marking one */

/* The bytes of a block that the marks change, in a copy of it. */
static void change_block(const struct marks *marks, uint8_t *block, size_t count, int64_t at)
{
	static const char type[] = "free";

	for (int64_t i = 0; i < 4 && marks->moov; i++) {
		int64_t there = marks->moov + 4 + i - at;

		if (there >= 0 && there < (int64_t)count)
			block[there] = (uint8_t)type[i];
	}
}

/* What the file is now, and will be with the marks; it is read once. 0 or -errno. */
static int read_digests(const struct marking *marking, const struct marks *marks,
	struct digest *came, struct digest *is)
{
	AUTO_FREE uint8_t *block = malloc(BLOCK_BYTES);

	if (!block || !came || !is)
		return -ENOMEM;
	for (int64_t at = 0; at < marking->bytes;) {
		int64_t left = marking->bytes - at;
		ssize_t got = pread(
			marking->fd, block, left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES, at);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		digest_add(came, block, (size_t)got);
		change_block(marks, block, (size_t)got, at);
		digest_add(is, block, (size_t)got);
		at += got;
	}
	if (marks->bytes)
		digest_add(is, marks->tail, marks->bytes);
	return 0;
}

static int take_digests(struct marking *marking, const struct marks *marks)
{
	struct digest *came = digest_begin(), *is = digest_begin();
	int error = read_digests(marking, marks, came, is);

	digest_end(came, error ? NULL : marking->came);
	digest_end(is, error ? NULL : marking->is);
	return error;
}

/* Written, and still the film that it was. */
static int write_marks(struct marking *marking, const struct marks *marks)
{
	struct result result;
	const char *why;
	int error = provenance_write(marking->fd, marking->bytes, marks);

	return error ? error
	             : result_check(
			       marking->fd, marking->bytes + (int64_t)marks->bytes, &result, &why);
}

/* Whatever fails: the file is as it came. */
static int mark_if_possible(struct marking *marking)
{
	struct marks marks;
	int error = provenance_plan(marking->fd, marking->bytes, &marking->says, &marks);

	if (!error)
		error = take_digests(marking, &marks);
	if (!error && marks.left)
		marking->left = strdup(marks.left);
	else if (!error)
		error = write_marks(marking, &marks);
	marks_clear(&marks);
	if (!error)
		return 0;
	(void)memcpy(marking->is, marking->came, sizeof(marking->is));
	marking->left = format("It could not be marked: %s", strerror(-error));
	return provenance_undo(marking->fd, marking->bytes, marking->moov);
}

static void mark(struct marking *marking)
{
	struct stat info;
	int error = fstat(marking->fd, &info) < 0 ? -errno : 0;

	if (!error && info.st_size < marking->bytes)
		error = -ENOENT;
	if (!error)
		error = provenance_undo(marking->fd, marking->bytes, marking->moov);
	if (!error && marking->wanted)
		error = mark_if_possible(marking);
	if (!error && fdatasync(marking->fd) < 0)
		error = -errno;
	marking->error = error;
}

/* ------------------------------------------------------------------ the thread */

static struct marking *next_wanted(struct markings *markings)
{
	struct marking *marking;

	pthread_mutex_lock(&markings->lock);
	while (!markings->stop && STAILQ_EMPTY(&markings->wanted))
		pthread_cond_wait(&markings->more, &markings->lock);
	marking = markings->stop ? NULL : STAILQ_FIRST(&markings->wanted);
	if (marking)
		STAILQ_REMOVE_HEAD(&markings->wanted, entry);
	pthread_mutex_unlock(&markings->lock);
	return marking;
}

static void *work(void *argument)
{
	struct markings *markings = argument;
	struct marking *marking;

	while ((marking = next_wanted(markings))) {
		struct message message = {.kind = MESSAGE_MARKED,
			.number = marking->which,
			.first = marking->came,
			.second = marking->is};

		mark(marking);
		message.third = marking->left;
		message.error = marking->error;
		/* its job would wait for ever; someone else will free some memory */
		while (inbox_post(markings->inbox, &message) == -ENOMEM)
			(void)usleep(10000);
		marking_free(marking);
	}
	return NULL;
}

/* ------------------------------------------------------------------ asking for one */

/* In full: the prompt, and all that the request says. */
static int say_request(struct engine *engine, const struct job *job, struct marking *marking)
{
	AUTO_FREE char *text = journal_request(engine->jobs.journal, job->row.id);
	AUTO_JSON cJSON *body = text ? cJSON_Parse(text) : NULL;
	cJSON *input = body ? spec_input(job->model, body) : NULL;
	const char *prompt;

	if (!input)
		return text ? -ENOMEM : 0; /* a journal that was put back may have none */
	marking->parameters = cJSON_PrintUnformatted(input);
	prompt = job->model->prompt
	                 ? cJSON_GetStringValue(address_get(input, job->model->prompt->address))
	                 : NULL;
	if (prompt)
		marking->prompt = strdup(prompt);
	return marking->parameters && (marking->prompt || !prompt) ? 0 : -ENOMEM;
}

static int say(struct engine *engine, const struct job *job, struct marking *marking)
{
	const struct config *config = engine->setup.config;
	int error = 0;

	marking->wanted = config->provenance != PROVENANCE_OFF;
	marking->model = strdup(job->row.model_id);
	marking->task = strdup(job->row.task);
	if (config->provenance == PROVENANCE_FULL)
		error = say_request(engine, job, marking);
	marking->says = (struct provenance){.provider = job->provider->title,
		.model = marking->model,
		.task = marking->task,
		.prompt = marking->prompt,
		.parameters = marking->parameters,
		.simulated = config->simulated};
	return marking->model && marking->task ? error : -ENOMEM;
}

static bool hand_over(struct markings *markings, struct marking *marking)
{
	if (!markings->running && markings->may_run)
		markings->running = pthread_create(&markings->thread, NULL, work, markings) == 0;
	if (!markings->running)
		return false;
	pthread_mutex_lock(&markings->lock);
	STAILQ_INSERT_TAIL(&markings->wanted, marking, entry);
	pthread_cond_signal(&markings->more);
	pthread_mutex_unlock(&markings->lock);
	return true;
}

int marking_ask(struct engine *engine, struct job *job, int64_t which)
{
	const struct output *output = &job->row.output[job->at];
	struct marking *marking = calloc(1, sizeof(*marking));
	int error;

	if (!marking)
		return -ENOMEM;
	marking->which = which;
	marking->bytes = output->bytes;
	marking->moov = output->moov;
	marking->fd = part_open_whole(engine, job, job->at);
	error = marking->fd < 0 ? marking->fd : say(engine, job, marking);
	if (!error && hand_over(engine->markings, marking))
		return 0;
	if (!error) {
		mark(marking);
		deliver_marked(engine, which,
			&(struct marked){
				marking->error, marking->came, marking->is, marking->left});
	}
	marking_free(marking);
	return error;
}

/* ------------------------------------------------------------------ life */

struct markings *markings_new(struct inbox *inbox)
{
	struct markings *markings = calloc(1, sizeof(*markings));

	if (!markings)
		return NULL;
	markings->inbox = inbox;
	pthread_mutex_init(&markings->lock, NULL);
	pthread_cond_init(&markings->more, NULL);
	STAILQ_INIT(&markings->wanted);
	return markings;
}

void markings_start(struct markings *markings)
{
	markings->may_run = true;
}

void markings_stop(struct markings *markings)
{
	markings->may_run = false;
	if (!markings->running)
		return;
	pthread_mutex_lock(&markings->lock);
	markings->stop = true;
	pthread_cond_signal(&markings->more);
	pthread_mutex_unlock(&markings->lock);
	(void)pthread_join(markings->thread, NULL); /* fails only for a thread not there */
	markings->running = false;
}

void markings_free(struct markings *markings)
{
	struct marking *marking;

	if (!markings)
		return;
	while ((marking = STAILQ_FIRST(&markings->wanted))) {
		STAILQ_REMOVE_HEAD(&markings->wanted, entry);
		marking_free(marking);
	}
	pthread_cond_destroy(&markings->more);
	pthread_mutex_destroy(&markings->lock);
	free(markings);
}
