/* power.c - crashes that are power cuts: at any call that changes a file, and what was not synced
 * is lost (tests/power). What the user does is synced; a crash that is none keeps all. */
#include "fs/base/clock.h"
#include "fs/journal/journal.h"
#include "tests/power/record.h"
#include "tests/power/states.h"
#include "tests/sim/sim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct states *states;
static bool cut, engine_works;
static int calls_left;

static void take(const struct op *op, const char *name, const char *name2, const void *data)
{
	static char *joined;
	static size_t room;
	size_t bytes = (size_t)op->name + op->name2 + op->bytes;

	if (cut)
		return;
	if (bytes + 1 > room)
		joined = realloc(joined, room = 2 * bytes + 1);
	if (!joined)
		abort();
	memcpy(joined, name ? name : "", op->name);
	memcpy(joined + op->name, name2 ? name2 : "", op->name2);
	memcpy(joined + op->name + op->name2, data ? data : "", op->bytes);
	joined[bytes] = '\0';
	states_be_durable(states, !engine_works);
	states_go_to(states, clock_steady_ms());
	states_add(states, op, joined);
	if (engine_works && calls_left > 0 && --calls_left == 0)
		life_is_dead = cut = true;
}

void power_begin(void)
{
	char folders[200];

	if (!sim.power)
		return;
	if (states)
		states_free(states);
	states = states_new();
	cut = false;
	calls_left = 0;
	(void)snprintf(folders, sizeof(folders), "%s/kinofs", sim.root);
	(void)mkdir(folders, 0700); /* there already, as a rule */
	(void)snprintf(folders, sizeof(folders), "%s:%s/kinofs", sim.store, sim.root);
	record_begin(folders, take);
}

void power_engine_works(bool works)
{
	engine_works = works;
}

void power_cut_after(int calls)
{
	calls_left = calls;
}

void power_cut(void)
{
	cut = true;
}

void power_lose(void)
{
	enum loss loss = (enum loss)chance(STREAM_POWER, LOSSES);

	if (!states)
		return;
	record_end();
	states_go_to(states, clock_steady_ms());
	life_reboot();
	if (sim.verbose)
		(void)printf("           the power went; lost: %s\n", loss_names[loss]);
	states_make(states, loss, chance(STREAM_POWER, 1 << 30), NULL);
	power_begin();
}

void power_end(void)
{
	record_end();
	if (states)
		states_free(states);
	states = NULL;
}
