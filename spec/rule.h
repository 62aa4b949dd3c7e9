/*
 * rule.h - what a model's fields may not be together, and what a row of prices
 * is for. Pure, any thread.
 *
 * A rule is {"refuse": WHEN, "sum": {"of": [ADDRESS, …], "over": N}, "message": "…"}; one of
 * "refuse" and "sum" may be left out. WHEN is {ADDRESS: WANTED, …}, and all of it must be so:
 *
 *   a value           it has that value; fields that are not given have their default
 *   true, false       of a field that is no boolean: it is given, it is not given
 *   a list            it has one of these values
 *   an object         "minimum" "maximum" of a number (or a text of digits),
 *                     "minItems" "maxItems" of a list, "given": true or false
 *
 * The sum of what is given: a list counts its items, a file 1, a number itself.
 */
#ifndef KINOFS_SPEC_RULE_H
#define KINOFS_SPEC_RULE_H

#include "spec/model.h"
#include "spec/problem.h"

/* Whether all of WHEN is so. sent: what the request says; effective: with defaults filled in, or
 * NULL: sent is only a part, and what it does not say is not known. */
bool rule_matches(
	const struct model *model, const cJSON *when, const cJSON *effective, const cJSON *sent);

/* What the value at the address counts; NAN: it is no number, and none of what has a count. */
double rule_count(const struct model *model, const char *address, const cJSON *input);

/* Adds a problem for each rule that is broken; to `missing`, unless it is NULL, where a file that
 * is still to come would mend it. */
void rules_judge(const struct model *model, const cJSON *effective, const cJSON *sent,
	struct problems *problems, struct problems *missing);

#endif
