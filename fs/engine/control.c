#include "fs/engine/control.h"

#include "fs/engine/inbox.h"

#include <errno.h>
#include <stdlib.h>

struct control {
	struct inbox *inbox;
};

struct control *control_new(struct inbox *inbox)
{
	struct control *control = malloc(sizeof(*control));

	if (control)
		control->inbox = inbox;
	return control;
}

void control_free(struct control *control)
{
	free(control);
}

static int ask(struct control *control, const struct message *message, char **answer)
{
	int error = inbox_ask(control->inbox, message, answer);

	return error == -ESHUTDOWN ? -EIO : error;
}

int control_run(
	struct control *control, const char *line, const struct person *asker, char **answer)
{
	union { /* asking copies */
		const char *in;
		char *out;
	} first = {line};
	const struct message message = {
		.kind = MESSAGE_COMMAND, .first = first.out, .asker = asker};

	*answer = NULL;
	return ask(control, &message, answer);
}

int control_forget(struct control *control, const char *model, const char *dir, const char *stem,
	const struct person *asker)
{
	union {
		const char *in;
		char *out;
	} first = {model}, second = {dir}, third = {stem};
	const struct message message = {.kind = MESSAGE_FORGET,
		.first = first.out,
		.second = second.out,
		.third = third.out,
		.asker = asker};
	char *answer = NULL;
	int error = ask(control, &message, &answer);

	free(answer);
	return error;
}

int control_renew(struct control *control, struct config *fresh)
{
	const struct message message = {.kind = MESSAGE_RENEWED, .fresh = fresh};
	char *answer = NULL;
	int error = ask(control, &message, &answer);

	free(answer);
	return error;
}
