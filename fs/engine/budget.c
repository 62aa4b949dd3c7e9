#include "fs/engine/budget.h"

#include "fs/base/cleanup.h"
#include "fs/base/clock.h"

#include <math.h>

static double cost(const struct job *job)
{
	return isnan(job->estimate) ? 0 : job->estimate;
}

/* Local midnight, day_offset days from today; or of the first of the month. */
static int64_t midnight_ms(int day_offset, bool of_month)
{
	time_t now = time(NULL);
	struct tm day;

	(void)localtime_r(&now, &day); /* cannot fail for the present */
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	day.tm_mday = of_month ? 1 : day.tm_mday + day_offset;
	day.tm_isdst = -1;
	return (int64_t)mktime(&day) * 1000;
}

static void recount(struct budget *budget, struct journal *journal)
{
	int64_t jobs;

	if (clock_wall_ms() < budget->day_ends_ms)
		return;
	/* a journal that cannot be read cannot be written either: nothing is submitted then */
	if (journal_spending(journal, midnight_ms(0, false), &budget->jobs_today,
		    &budget->credits_today) == 0 &&
		journal_spending(
			journal, midnight_ms(0, true), &jobs, &budget->credits_this_month) == 0)
		budget->day_ends_ms = midnight_ms(1, false);
}

enum job_hold budget_check(struct budget *budget, struct journal *journal, const struct caps *caps,
	const struct job *job, char **problem, const char **advice)
{
	static const char raise[] =
		"Raise the cap in the configuration and mount again, or let this job go with: "
		"kinofs release PATH";
	static const char later[] =
		"It goes on by itself when the cap allows. To let it go now: kinofs release PATH";
	double more = cost(job);
	int length;

	recount(budget, journal);
	*advice = later;
	if (caps->credits_per_job > 0 && more > caps->credits_per_job) {
		*advice = raise;
		length = asprintf(problem,
			"It would cost about %.4g credits; the cap for one job is %.4g "
			"(caps.credits_per_job).",
			more, caps->credits_per_job);
		if (length < 0)
			*problem = NULL; /* held all the same, without the reason */
		return HOLD_JOB_CAP;
	}
	if (caps->jobs_per_day > 0 && budget->jobs_today >= caps->jobs_per_day)
		length = asprintf(problem,
			"%lld jobs were submitted today; the cap is %lld a day "
			"(caps.jobs_per_day).",
			(long long)budget->jobs_today, (long long)caps->jobs_per_day);
	else if (caps->credits_per_day > 0 && budget->credits_today + more > caps->credits_per_day)
		length = asprintf(problem,
			"About %.4g credits were spent today and this job needs %.4g; the cap is "
			"%.4g a day (caps.credits_per_day).",
			budget->credits_today, more, caps->credits_per_day);
	else if (caps->credits_per_month > 0 &&
		 budget->credits_this_month + more > caps->credits_per_month)
		length = asprintf(problem,
			"About %.4g credits were spent this month and this job needs %.4g; the cap "
			"is %.4g a month (caps.credits_per_month).",
			budget->credits_this_month, more, caps->credits_per_month);
	else
		return HOLD_NONE;
	if (length < 0)
		*problem = NULL; /* held all the same, without the reason */
	return HOLD_CAP;
}

void budget_add(struct budget *budget, const struct job *job)
{
	budget->jobs_today++;
	budget->credits_today += cost(job);
	budget->credits_this_month += cost(job);
}

void budget_take_back(struct budget *budget, const struct job *job)
{
	/* the day may have turned since: what was counted then is gone already */
	if (budget->jobs_today > 0)
		budget->jobs_today--;
	budget->credits_today = fmax(0, budget->credits_today - cost(job));
	budget->credits_this_month = fmax(0, budget->credits_this_month - cost(job));
}
