#include "fs/engine/messages.h"

#include "fs/engine/changes.h"
#include "fs/engine/core.h"
#include "fs/engine/deliver.h"
#include "fs/engine/frames.h"
#include "fs/engine/marking.h"
#include "fs/engine/orders.h"
#include "fs/engine/owner.h"
#include "fs/engine/renew.h"

#include <errno.h>

static int forget(struct engine *engine, const struct message *message, char **text)
{
	const struct job_key key = {message->first, message->second, message->third};

	return orders_forget(engine, &key, message->asker, text);
}

static void look_again(struct engine *engine, const struct message *message)
{
	const struct job_key key = {message->first, message->second, message->third};

	settle_look_again(engine, &key);
}

static void marked(struct engine *engine, const struct message *message)
{
	const struct marked marked = {
		message->error, message->first, message->second, message->third};

	deliver_marked(engine, message->number, &marked);
}

/* Saves come by the thousand, of names that were listed already when there are many; and what a
 * start finds, is hashed or has another owner is no news of names. */
static void forget_listings(struct engine *engine, const struct message *message)
{
	if (message->kind == MESSAGE_FOUND || message->kind == MESSAGE_HASHED ||
		message->kind == MESSAGE_FRAMED || message->kind == MESSAGE_MARKED ||
		message->kind == MESSAGE_OWNER || message->kind == MESSAGE_RENEWED)
		return;
	listings_clear(&engine->listings, INT64_MAX);
	if (message->kind == MESSAGE_CHANGED)
		listings_saved(&engine->judged, message->first);
	else
		listings_clear(&engine->judged, INT64_MAX);
}

static void handle(struct engine *engine, struct message *message)
{
	char *text = NULL;
	int error = 0;

	forget_listings(engine, message);
	switch (message->kind) {
	case MESSAGE_CHANGED: changes_saved(engine, message->first, message->number); break;
	case MESSAGE_REMOVED: changes_removed(engine, message->first); break;
	case MESSAGE_OWNER: owner_changed(engine, message->first); break;
	case MESSAGE_MOVED: changes_moved(engine, message->first, message->second); break;
	case MESSAGE_FOUND:
		changes_found(engine, message->first, (enum found)message->number);
		break;
	case MESSAGE_PUBLISHED: deliver_published(engine, message->number, message->error); break;
	case MESSAGE_SYNCED: deliver_synced(engine, message->number, message->error); break;
	case MESSAGE_MARKED: marked(engine, message); break;
	case MESSAGE_HASHED: look_again(engine, message); break;
	case MESSAGE_FRAMED: frames_came(engine); break;
	case MESSAGE_COMMAND:
		error = orders_run(engine, message->first, message->asker, &text);
		break;
	case MESSAGE_FORGET: error = forget(engine, message, &text); break;
	case MESSAGE_RENEWED: error = renew(engine, message->fresh); break;
	case MESSAGE_STOP: engine->loop.stopping = true; break;
	}
	/* an order that was carried out is durable before the user hears of it */
	if (message->answer && !error)
		error = engine_commit(engine);
	message_end(message, error, text);
}

/* What another thread has done has nothing to do with the order of changes, which may be many. */
static bool is_an_answer(const struct message *message)
{
	return message->kind == MESSAGE_PUBLISHED || message->kind == MESSAGE_SYNCED ||
	       message->kind == MESSAGE_MARKED || message->kind == MESSAGE_HASHED ||
	       message->kind == MESSAGE_FRAMED;
}

void messages_take_in(struct engine *engine)
{
	struct message_list list;
	struct message *message;

	inbox_take(&engine->inbox, &list);
	while ((message = STAILQ_FIRST(&list))) {
		engine->loop.at_rest = false;
		STAILQ_REMOVE_HEAD(&list, entry);
		if (is_an_answer(message))
			handle(engine, message);
		else
			STAILQ_INSERT_TAIL(&engine->loop.pending, message, entry);
	}
}

bool messages_handle_next(struct engine *engine)
{
	struct message *message;

	if (changes_go_on(engine))
		return true;
	message = STAILQ_FIRST(&engine->loop.pending);
	if (!message)
		return false;
	STAILQ_REMOVE_HEAD(&engine->loop.pending, entry);
	engine->loop.told_ms = message->posted_ms;
	handle(engine, message);
	return true;
}

bool messages_are_left(const struct engine *engine, int64_t *posted_ms)
{
	const struct message *message = STAILQ_FIRST(&engine->loop.pending);

	if (engine->moving)
		*posted_ms = engine->loop.told_ms;
	else if (message)
		*posted_ms = message->posted_ms;
	return engine->moving || message;
}

void messages_drop(struct engine *engine)
{
	struct message *message;

	changes_drop(engine);
	while ((message = STAILQ_FIRST(&engine->loop.pending))) {
		STAILQ_REMOVE_HEAD(&engine->loop.pending, entry);
		message_end(message, -ESHUTDOWN, NULL);
	}
}
