#include "fs/engine/inbox.h"

#include "fs/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void inbox_init(struct inbox *inbox, void (*wake)(void *context), void *context)
{
	pthread_mutex_init(&inbox->lock, NULL);
	STAILQ_INIT(&inbox->list);
	inbox->closed = false;
	inbox->wake = wake;
	inbox->context = context;
}

static void message_free(struct message *message)
{
	free(message->first);
	free(message->second);
	free(message->third);
	free(message);
}

/* A copy of text into *copy; false: no memory. */
static bool copy_text(char **copy, const char *text)
{
	*copy = text ? strdup(text) : NULL;
	return *copy || !text;
}

int inbox_post(struct inbox *inbox, const struct message *message)
{
	struct message *copy = malloc(sizeof(*copy));
	bool copied, closed, first;

	if (!copy)
		return -ENOMEM;
	*copy = *message;
	copy->posted_ms = clock_steady_ms();
	copied = copy_text(&copy->first, message->first);
	copied &= copy_text(&copy->second, message->second);
	copied &= copy_text(&copy->third, message->third);
	if (!copied) {
		message_free(copy);
		return -ENOMEM;
	}
	pthread_mutex_lock(&inbox->lock);
	closed = inbox->closed;
	first = STAILQ_EMPTY(&inbox->list); /* else the wake-up of the one before is under way */
	if (!closed)
		STAILQ_INSERT_TAIL(&inbox->list, copy, entry);
	pthread_mutex_unlock(&inbox->lock);
	if (closed) {
		message_free(copy);
		return -ESHUTDOWN;
	}
	if (first)
		inbox->wake(inbox->context);
	return 0;
}

int inbox_post_text(struct inbox *inbox, enum message_kind kind, const char *first,
	const char *second, int64_t number)
{
	union { /* posting copies */
		const char *in;
		char *out;
	} one = {first}, other = {second};
	const struct message message = {
		.kind = kind, .first = one.out, .second = other.out, .number = number};

	return inbox_post(inbox, &message);
}

int inbox_ask(struct inbox *inbox, const struct message *message, char **text)
{
	struct answer answer = {
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0, NULL};
	struct message question = *message;
	int error;

	question.answer = &answer;
	error = inbox_post(inbox, &question);
	if (error)
		return error;
	pthread_mutex_lock(&answer.lock);
	while (!answer.done)
		pthread_cond_wait(&answer.ready, &answer.lock);
	pthread_mutex_unlock(&answer.lock);
	*text = answer.text;
	return answer.error;
}

void inbox_take(struct inbox *inbox, struct message_list *list)
{
	STAILQ_INIT(list);
	pthread_mutex_lock(&inbox->lock);
	STAILQ_CONCAT(list, &inbox->list);
	pthread_mutex_unlock(&inbox->lock);
}

void inbox_destroy(struct inbox *inbox)
{
	inbox_close(inbox);
	pthread_mutex_destroy(&inbox->lock);
}

void inbox_close(struct inbox *inbox)
{
	struct message_list list;
	struct message *message;

	pthread_mutex_lock(&inbox->lock);
	inbox->closed = true;
	pthread_mutex_unlock(&inbox->lock);
	inbox_take(inbox, &list);
	while ((message = STAILQ_FIRST(&list))) {
		STAILQ_REMOVE_HEAD(&list, entry);
		message_end(message, -ESHUTDOWN, NULL);
	}
}

void message_end(struct message *message, int error, char *text)
{
	struct answer *answer = message->answer;

	if (answer) {
		pthread_mutex_lock(&answer->lock);
		answer->error = error;
		answer->text = text;
		answer->done = true;
		/* under the lock: the asker's stack frame is gone once it has seen `done` */
		pthread_cond_signal(&answer->ready);
		pthread_mutex_unlock(&answer->lock);
	} else {
		free(text);
	}
	message_free(message);
}
