/*
 * spending.h - what was ordered and what it cost, a month at a time, for who
 * wants to know where the money went. What was forgotten still counts, a
 * refused order does not, as for the caps (budget.h). Months and days are those
 * of the local time. Any thread may call; a view's lock inside.
 */
#ifndef KINOFS_JOURNAL_SPENDING_H
#define KINOFS_JOURNAL_SPENDING_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

struct view;

/* A month as the number 202611. */
int spending_this_month(void);
int spending_month_after(int month);
/* When it begins, wall clock. */
int64_t spending_month_begins_ms(int month);
/* The one of the first order; this one if there was none, or it cannot be read. */
int spending_first_month(struct view *view);

/* Adds to object: `month`, `today`, and `orders`, a list of what was ordered in the month, one
 * entry for each day, model, folder and user: how many `orders`, `estimated_credits`,
 * `taken_credits` (as the provider said, else the estimate), and `unsaid_orders` with
 * `unsaid_credits`: those it said nothing of. `uid`: who owned the files, absent where it is the
 * mount's owner. 0, -ENOMEM, -EIO. */
int spending_of_month(struct view *view, int month, cJSON *object);

#endif
