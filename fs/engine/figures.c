#include "fs/engine/figures.h"

#include "fs/base/array.h"
#include "fs/base/metric.h"

static const char *const created[] = {[CREATE_ACCEPTED] = "accepted",
	[CREATE_LATER] = "later",
	[CREATE_BLOCKED] = "blocked",
	[CREATE_REFUSED] = "refused",
	[CREATE_UNKNOWN] = "unknown"};
static const char *const polled[] = {[POLL_RUNNING] = "running",
	[POLL_SUCCEEDED] = "succeeded",
	[POLL_NOTHING] = "nothing",
	[POLL_FAILED] = "failed",
	[POLL_NOT_KNOWN] = "not_known",
	[POLL_BLOCKED] = "blocked",
	[POLL_ERROR] = "error"};
static const char *const uploaded[] = {[UPLOAD_OK] = "ok",
	[UPLOAD_RETRY] = "later",
	[UPLOAD_BLOCKED] = "blocked",
	[UPLOAD_REFUSED] = "refused"};
static const char *const downloaded[] = {
	[DOWNLOAD_WHOLE] = "whole", [DOWNLOAD_REFUSED] = "refused", [DOWNLOAD_BROKEN] = "broken"};
static const char *const queues[] = {
	[QUEUE_UPLOADS] = "uploads", [QUEUE_POLLS] = "polls", [QUEUE_DOWNLOADS] = "downloads"};

struct figures *figures_new(const struct model_set *models)
{
	struct figures *figures =
		calloc(1, sizeof(*figures) + models->count * sizeof(figures->ended[0]));

	if (figures)
		figures->models = models;
	return figures;
}

void figures_ended(struct figures *figures, const struct model *model, enum job_state state)
{
	for (size_t i = 0; i < figures->models->count; i++)
		if (figures->models->item[i] == model)
			atomic_fetch_add(&figures->ended[i][state], 1);
}

void figures_downloaded(struct figures *figures, enum figure_download end, int64_t bytes)
{
	atomic_fetch_add(&figures->downloads[end], 1);
	atomic_fetch_add(&figures->bytes, (unsigned long long)bytes);
}

/* What is said of one provider: a value for each result, also those that never came. */
static void print_results(FILE *out, const char *name, size_t provider, atomic_ullong *of,
	const char *const *results, size_t count)
{
	for (size_t i = 0; i < count; i++)
		metric_value(out, name, (double)atomic_load(&of[i]), "provider",
			provider_at(provider)->name, "result", results[i], NULL);
}

static void print_requests(struct figures *figures, FILE *out)
{
	metric_describe(
		out, "kinofs_creates_total", "counter", "Orders sent, by what the answer said.");
	for (size_t i = 0; i < PROVIDERS; i++)
		print_results(out, "kinofs_creates_total", i, figures->creates[i], created,
			COUNT(created));
	metric_describe(out, "kinofs_polls_total", "counter",
		"Questions after tasks, by what the answer said.");
	for (size_t i = 0; i < PROVIDERS; i++)
		print_results(
			out, "kinofs_polls_total", i, figures->polls[i], polled, COUNT(polled));
	metric_describe(out, "kinofs_uploads_total", "counter",
		"Uploads of pictures, films and sounds, by how they ended.");
	for (size_t i = 0; i < PROVIDERS; i++)
		if (provider_at(i)->uploads)
			print_results(out, "kinofs_uploads_total", i, figures->uploads[i], uploaded,
				COUNT(uploaded));
}

static void print_downloads(struct figures *figures, FILE *out)
{
	metric_describe(out, "kinofs_downloads_total", "counter",
		"Transfers of results, by how they ended.");
	for (size_t i = 0; i < DOWNLOAD_ENDS; i++)
		metric_value(out, "kinofs_downloads_total",
			(double)atomic_load(&figures->downloads[i]), "result", downloaded[i], NULL);
	metric_describe(out, "kinofs_downloaded_bytes_total", "counter", "Of results.");
	metric_value(
		out, "kinofs_downloaded_bytes_total", (double)atomic_load(&figures->bytes), NULL);
}

static void print_ended(struct figures *figures, FILE *out)
{
	const char *name = "kinofs_jobs_ended_total";

	metric_describe(out, name, "counter", "Takes that came to an end, by how and by model.");
	for (size_t i = 0; i < figures->models->count; i++)
		for (enum job_state state = 0; state < JOB_STATES; state++) {
			const double ended = (double)atomic_load(&figures->ended[i][state]);

			if (ended > 0)
				metric_value(out, name, ended, "model",
					figures->models->item[i]->id, "state",
					job_state_name(state), NULL);
		}
}

void figures_print(struct figures *figures, FILE *out)
{
	print_ended(figures, out);
	print_requests(figures, out);
	print_downloads(figures, out);
	metric_describe(out, "kinofs_queue_jobs", "gauge",
		"Jobs that wait until others have had their turn, by what for.");
	for (size_t i = 0; i < QUEUES; i++)
		metric_value(out, "kinofs_queue_jobs", atomic_load(&figures->queue[i]), "queue",
			queues[i], NULL);
}
