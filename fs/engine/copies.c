#include "fs/engine/copies.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"
#include "fs/base/quote.h"
#include "fs/engine/core.h"
#include "fs/engine/owner.h"

#include <string.h>

static const char advice[] =
	"To get something else, change it. To pay for another take of the same, let it go: kinofs "
	"release PATH (or: kinofs retry PATH).";

static char *say(const struct job *copy, const struct job *of)
{
	AUTO_FREE char *plain = job_name(&of->row), *name = plain ? quote_name(plain) : NULL;
	AUTO_FREE char *result = NULL, *is = NULL;

	if (!owner_shares(of->engine, &copy->row, &of->row))
		return strdup("The same was ordered already, by another user.");
	for (size_t i = 0; i < of->row.noutputs && !result; i++)
		if (of->row.output[i].state == OUTPUT_PUBLISHED)
			result = quote_name(of->row.output[i].file);
	is = result ? format("; its %s is ", model_noun(of->model)) : strdup("");
	if (!name || !is)
		return NULL;
	return format("The same was ordered already, as %s (take %d, %s)%s%s.", name, of->row.take,
		job_state_name(of->row.state), is, result ?: "");
}

void copies_hold(struct job *job, const struct job *of)
{
	AUTO_FREE char *problem = say(job, of);

	job_hold(job, HOLD_COPY, problem, advice);
}

/* Calls back with each held copy of a job that is at rest. */
static void each(struct engine *engine, const struct job *job,
	void (*act)(struct engine *engine, struct job *copy, const struct job *of))
{
	struct takes copies = {0};

	/* what cannot be read stays held, which costs nothing */
	if (job->row.order && jobs_same_order(&engine->jobs, job->row.order, &copies) == 0)
		for (size_t i = 0; i < copies.count; i++) {
			struct job *copy = copies.item[i];

			if (copy != job && copy->row.state == JOB_HELD &&
				copy->row.hold == HOLD_COPY && !copy->row.settling)
				act(engine, copy, job);
		}
	takes_clear(&copies);
}

static void judge_copy(struct engine *engine, struct job *copy, const struct job *of)
{
	const struct job_key key = job_key_of(&copy->row);

	(void)of;
	settle_now(engine, &key);
}

void copies_name(struct job *copy, const struct job *of)
{
	AUTO_FREE char *problem = say(copy, of);

	job_say(copy, problem, advice);
}

static void tell_copy(struct engine *engine, struct job *copy, const struct job *of)
{
	(void)engine;
	copies_name(copy, of);
}

void copies_judge(struct engine *engine, const struct job *job)
{
	each(engine, job, judge_copy);
}

void copies_tell(struct engine *engine, const struct job *job)
{
	each(engine, job, tell_copy);
}
