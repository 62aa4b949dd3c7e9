#include "fs/engine/budget.h"

#include "fs/base/clock.h"
#include "fs/base/format.h"

#include <math.h>

static double cost(const struct job_row *row)
{
	return isnan(row->estimate) ? 0 : row->estimate;
}

double budget_rounded(double credits)
{
	return round(credits * 100) / 100;
}

/* Local midnight, day_offset days from today; or of the first of the month. Wall ms. */
static int64_t midnight_ms(int day_offset, bool of_month)
{
	time_t now = clock_wall_ms() / 1000;
	struct tm day;

	(void)localtime_r(&now, &day); /* cannot fail for the present */
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_mday = of_month ? 1 : day.tm_mday + day_offset;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * 1000;
}

/* Counts anew when the day has turned. false: it cannot be counted now. */
static bool count(struct budget *budget, struct journal *journal)
{
	int64_t jobs_today, jobs;
	double today, month;

	if (budget->day_ends_ms && clock_steady_ms() < budget->day_ends_ms)
		return true;
	if (journal_spending(journal, midnight_ms(0, false), &jobs_today, &today) < 0 ||
		journal_spending(journal, midnight_ms(0, true), &jobs, &month) < 0)
		return false;
	budget->changes++;
	budget->jobs_today = jobs_today;
	budget->credits_today = today;
	budget->credits_this_month = month;
	budget->day_ends_ms = clock_steady_ms() + midnight_ms(1, false) - clock_wall_ms();
	return true;
}

/* The key of a cap on credits that is set, or NULL. */
static const char *credit_cap(const struct caps *caps)
{
	if (caps->credits_per_job > 0)
		return "caps.credits_per_job";
	if (caps->credits_per_day > 0)
		return "caps.credits_per_day";
	return caps->credits_per_month > 0 ? "caps.credits_per_month" : NULL;
}

bool budget_count(struct budget *budget, struct journal *journal, const struct caps *caps)
{
	return (caps->jobs_per_day <= 0 && !credit_cap(caps)) || count(budget, journal);
}

/* The caps of one job, whatever was spent before. */
static enum job_hold check_job(
	const struct caps *caps, const struct job_row *row, char **problem, const char **advice)
{
	if (isnan(row->estimate) && credit_cap(caps)) {
		*problem = format("Its price is not known, and there is a cap on credits (%s).",
			credit_cap(caps));
		*advice = "Give the model's file a price, or let this job go: kinofs release PATH";
		return HOLD_PRICE;
	}
	if (caps->credits_per_job > 0 && cost(row) > caps->credits_per_job) {
		*problem = format("It would cost about %.10g credits; the cap for one job is %.10g "
				  "(caps.credits_per_job).",
			budget_rounded(cost(row)), caps->credits_per_job);
		*advice = "Raise the cap in the configuration and mount again (or send kinofs "
			  "SIGHUP), or let this job go with: kinofs release PATH";
		return HOLD_JOB_CAP;
	}
	return HOLD_NONE;
}

/* What stands in the way today or this month; NULL without a cap over it, or without memory. */
static char *over_cap(const struct budget *budget, const struct caps *caps, double more)
{
	if (caps->jobs_per_day > 0 && budget->jobs_today >= caps->jobs_per_day)
		return format("%lld jobs were submitted today; the cap is %lld a day "
			      "(caps.jobs_per_day).",
			(long long)budget->jobs_today, (long long)caps->jobs_per_day);
	if (caps->credits_per_day > 0 && budget->credits_today + more > caps->credits_per_day)
		return format("About %.10g credits were spent today and this job needs %.10g; the "
			      "cap is %.10g a day (caps.credits_per_day).",
			budget_rounded(budget->credits_today), budget_rounded(more),
			caps->credits_per_day);
	if (caps->credits_per_month > 0 &&
		budget->credits_this_month + more > caps->credits_per_month)
		return format("About %.10g credits were spent this month and this job needs %.10g; "
			      "the cap is %.10g a month (caps.credits_per_month).",
			budget_rounded(budget->credits_this_month), budget_rounded(more),
			caps->credits_per_month);
	return NULL;
}

static bool is_over(const struct budget *budget, const struct caps *caps, double more)
{
	return (caps->jobs_per_day > 0 && budget->jobs_today >= caps->jobs_per_day) ||
	       (caps->credits_per_day > 0 &&
		       budget->credits_today + more > caps->credits_per_day) ||
	       (caps->credits_per_month > 0 &&
		       budget->credits_this_month + more > caps->credits_per_month);
}

enum job_hold budget_check(struct budget *budget, struct journal *journal, const struct caps *caps,
	const struct job_row *row, char **problem, const char **advice)
{
	enum job_hold hold = check_job(caps, row, problem, advice);

	if (hold != HOLD_NONE)
		return hold;
	*advice = "It goes on by itself when the cap allows. To let it go now: kinofs release PATH";
	if (!budget_count(budget, journal, caps)) {
		*problem = format("What was spent cannot be counted now, and there is a cap.");
		return HOLD_CAP;
	}
	if (!is_over(budget, caps, cost(row)))
		return HOLD_NONE;
	*problem = over_cap(budget, caps, cost(row));
	return HOLD_CAP;
}

void budget_add(struct budget *budget, const struct job_row *row)
{
	budget->changes++;
	budget->jobs_today++;
	budget->credits_today += cost(row);
	budget->credits_this_month += cost(row);
}

void budget_take_back(struct budget *budget, const struct job_row *row)
{
	budget->changes++;
	/* the day may have turned since: what was counted then is gone already */
	if (budget->jobs_today > 0)
		budget->jobs_today--;
	budget->credits_today = fmax(0, budget->credits_today - cost(row));
	budget->credits_this_month = fmax(0, budget->credits_this_month - cost(row));
}
