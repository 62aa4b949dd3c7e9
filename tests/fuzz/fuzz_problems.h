/* fuzz_problems.h - what must hold of the words about what is wrong. */
#ifndef KINOFS_TESTS_FUZZ_FUZZ_PROBLEMS_H
#define KINOFS_TESTS_FUZZ_FUZZ_PROBLEMS_H

#include "spec/problem.h"
#include "spec/text.h"
#include "tests/fuzz/fuzz_demand.h"

#include <string.h>

static inline void demand_printable(const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		const char *text = problems->item[i].text;

		demand(text_bad_utf8(text, strlen(text)) == strlen(text));
		for (; *text; text++)
			demand((unsigned char)*text >= 0x20 && *text != 0x7f);
	}
}

#endif
