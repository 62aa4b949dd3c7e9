/*
 * fuzz_store.c - the small files of a store, and what stands in a row as JSON, any bytes. The first
 * byte picks which. What must hold: what cannot be read is never taken for a run that ended well.
 */
#include "fs/base/cleanup.h"
#include "fs/journal/journal.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/rowjson.h"
#include "fs/journal/witness.h"
#include "tests/fuzz/fuzz_folder.h"

#include <inttypes.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_run(const uint8_t *data, size_t size)
{
	struct last_run last;

	fuzz_put("run", data, size);
	last_run_look(fuzz_folder(), &last);
	demand(last.known || (last.restored && !last.ended && !last.seen_until_ms));
	demand(!last.ended || memmem(data, size, "ended", 5));
	demand(last.crash_ms == 0 || !last.ended);
}

static void read_witness(const uint8_t *data, size_t size)
{
	struct testimony then = {0}, now = {0};
	char text[128];

	fuzz_put("kinofs/stores/0123", data, size);
	if (witness_ask("0123", &then) != WITNESS_KNOWN)
		return;
	demand(testimony_fits(&then, &then));
	(void)snprintf(text, sizeof(text), "%" PRId64 " %" PRIu64 " %" PRId64, then.generation,
		then.inode, then.born_ns);
	fuzz_put("kinofs/stores/0123", text, strlen(text));
	demand(witness_ask("0123", &now) == WITNESS_KNOWN && !memcmp(&then, &now, sizeof(now)));
}

static void read_pictures(const char *text)
{
	struct picture *picture = NULL, *again = NULL;
	size_t count = 0, count_again = 0;

	if (!pictures_parse(text, &picture, &count)) {
		pictures_free(picture, count); /* what was read until then */
		return;
	}
	AUTO_FREE char *written = pictures_text(picture, count);
	demand(pictures_parse(written, &again, &count_again) && count == count_again);
	AUTO_FREE char *twice = pictures_text(again, count_again);
	demand(!written == !twice && (!written || !strcmp(written, twice)));
	pictures_free(picture, count);
	pictures_free(again, count_again);
}

static void read_outputs(const char *text)
{
	struct output *output = NULL, *again = NULL;
	size_t count = 0, count_again = 0;

	if (!outputs_parse(text, &output, &count)) {
		outputs_free(output, count);
		return;
	}
	AUTO_FREE char *written = outputs_text(output, count);
	demand(outputs_parse(written, &again, &count_again) && count == count_again);
	for (size_t i = 0; i < count; i++)
		demand(output[i].state == again[i].state &&
			(output[i].state != OUTPUT_NAMED || output[i].file));
	outputs_free(output, count);
	outputs_free(again, count_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	AUTO_FREE char *text = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!text)
		return 0;
	if (!started) {
		started = true;
		(void)mkdirat(fuzz_folder(), "kinofs", 0700);
		(void)mkdirat(fuzz_folder(), "kinofs/stores", 0700);
		demand(setenv("XDG_STATE_HOME", fuzz_root, 1) == 0);
		fuzz_put(JOURNAL_FILE, "x", 1);
		fuzz_put(JOURNAL_FILE "-wal", "x", 1);
		fuzz_put("heartbeat", "", 0);
	}
	switch (data[0] & 3) {
	case 0: read_run(data + 1, size - 1); break;
	case 1: read_witness(data + 1, size - 1); break;
	case 2: read_pictures(text); break;
	default: read_outputs(text); break;
	}
	return 0;
}
