/*
 * state.c - the lines of DIR/events.jsonl: written as things happen, read at the next start.
 *
 * DIR/files holds the bytes. A line torn by the end of the process is skipped, and what belongs to
 * no line is removed. At a start the file is written anew without what the providers, too, would
 * have deleted by then.
 */
#include "contrib/simulator/state.h"
#include "contrib/simulator/api.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define WAIT_MS 30000 /* for a run before that has been told to end */
#define LOOK_MS 20

static FILE *events;
static char *events_path;
static int lock = -1; /* on DIR, as long as the process lives */

static _Noreturn void give_up(const char *path, int error)
{
	(void)fprintf(stderr, "kinofs-sim: %s: %s\n", path, strerror(error));
	exit(1);
}

static void append(FILE *file, const cJSON *line)
{
	AUTO_FREE char *text = cJSON_PrintUnformatted(line);

	if (!text || fprintf(file, "%s\n", text) < 0 || fflush(file) != 0)
		(void)fprintf(stderr, "kinofs-sim: %s: cannot write\n", events_path);
}

/* Takes the line. */
static void note(cJSON *line)
{
	if (events)
		append(events, line);
	cJSON_Delete(line);
}

/* The first key of a line says what it is. */
static cJSON *line_new(const char *kind, const char *name)
{
	cJSON *line = cJSON_CreateObject();

	cJSON_AddStringToObject(line, kind, name);
	return line;
}

static void add_source(cJSON *line, const char *key, const struct source *source)
{
	cJSON *object = source->picture || source->url ? cJSON_AddObjectToObject(line, key) : NULL;

	if (source->picture)
		cJSON_AddItemToObject(object, "file", picture_json(source->picture));
	else if (source->url)
		cJSON_AddStringToObject(object, "url", source->url);
}

void state_task(const struct task *task, const struct scene *scene)
{
	cJSON *line;

	if (!events)
		return;
	line = line_new("task", task->id);
	cJSON_AddNumberToObject(line, "t", task->created);
	cJSON_AddStringToObject(line, "provider", task->provider == KIE ? "kie" : "ppinfra");
	cJSON_AddStringToObject(line, "model", task->model);
	cJSON_AddNumberToObject(line, "due", task->due);
	cJSON_AddNumberToObject(line, "price", task->price);
	cJSON_AddNumberToObject(line, "seconds", task->seconds);
	cJSON_AddStringToObject(line, "resolution", task->resolution);
	if (task->param)
		cJSON_AddStringToObject(line, "param", task->param);
	cJSON_AddItemToObject(
		line, "results", cJSON_CreateStringArray(task->results, (int)task->result_count));
	cJSON_AddStringToObject(line, "prompt", scene->prompt);
	add_source(line, "first", &scene->first);
	add_source(line, "last", &scene->last);
	note(line);
}

void state_ready(const struct task *task)
{
	cJSON *line;

	if (!events)
		return;
	line = line_new("ready", task->id);
	cJSON_AddNumberToObject(line, "t", task->ready);
	cJSON_AddBoolToObject(line, "good", task->video == VIDEO_READY);
	note(line);
}

void state_doomed(const struct task *task)
{
	cJSON *line;

	if (!events)
		return;
	line = line_new("doomed", task->id);
	cJSON_AddNumberToObject(line, "due", task->due);
	cJSON_AddStringToObject(line, "reason", task->reason ? task->reason : "");
	note(line);
}

void state_upload(const char *path, const struct picture *picture)
{
	cJSON *line;

	if (!events)
		return;
	line = line_new("upload", path);
	cJSON_AddNumberToObject(line, "t", now_seconds());
	cJSON_AddItemToObject(line, "file", picture_json(picture));
	note(line);
}

void state_listening(void)
{
	cJSON *line = cJSON_CreateObject();

	cJSON_AddNumberToObject(line, "port", sim.port);
	note(line);
}

/* Every line that is whole, as a list. */
static cJSON *read_lines(void)
{
	FILE *file = fopen(events_path, "re");
	cJSON *lines = cJSON_CreateArray();
	AUTO_FREE char *text = NULL;
	size_t size = 0;

	if (!file && errno != ENOENT)
		give_up(events_path, errno);
	while (file && getline(&text, &size, file) > 0) {
		cJSON *line = cJSON_Parse(text);

		if (cJSON_IsObject(line))
			cJSON_AddItemToArray(lines, line);
		else
			cJSON_Delete(line); /* torn */
	}
	if (file)
		(void)fclose(file); /* only read */
	return lines;
}

static cJSON *account_line(void)
{
	cJSON *line = cJSON_CreateObject();
	char key[2 * sizeof(sim.key) + 1];
	double credits = sim.credits;

	for (const struct task *task = task_first(); task; task = task->next)
		if (task->state == TASK_SUCCESS)
			credits += task->price; /* billed again when it is read */
	to_hex(sim.key, 2 * sizeof(sim.key), key);
	cJSON_AddNumberToObject(line, "credits", credits);
	cJSON_AddStringToObject(line, "key", key);
	return line;
}

static bool is_kept(const cJSON *line, double before)
{
	const cJSON *name = line->child;

	if (!cJSON_IsString(name))
		return false; /* the account, the port: said anew */
	if (!strcmp(name->string, "upload"))
		return cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(line, "t")) >= before;
	return task_find_any(name->valuestring) != NULL;
}

/* The file without what is too old, and open for more. */
static void rewrite(const cJSON *lines, double before)
{
	AUTO_JSON cJSON *account = account_line();
	AUTO_FREE char *path = NULL;
	const cJSON *line;

	if (asprintf(&path, "%s.new", events_path) < 0)
		give_up(events_path, ENOMEM);
	events = fopen(path, "we");
	if (!events)
		give_up(path, errno);
	append(events, account);
	cJSON_ArrayForEach (line, lines)
		if (is_kept(line, before))
			append(events, line);
	if (ferror(events) || rename(path, events_path) < 0)
		give_up(path, errno);
}

/* Removes what no line speaks of: a crash was between the bytes and their line. */
static void sweep(void)
{
	DIR *folder = opendir(sim.directory);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		AUTO_FREE char *link = NULL;
		AUTO_FREE char *path = NULL;

		if (strspn(name + (name[0] == 'p'), "0123456789abcdef-") < 16 ||
			picture_is_known(name) || asprintf(&link, "/files/%s", name) < 0 ||
			result_task(link, NULL) ||
			asprintf(&path, "%s/%s", sim.directory, name) < 0)
			continue;
		remove_tree(path);
	}
	if (folder)
		(void)closedir(folder); /* only read */
}

/* kinofs may be gone already while the simulator it had started still ends. */
static void take_lock(void)
{
	lock = open(sim.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		give_up(sim.state, errno);
	for (int waited = 0; flock(lock, LOCK_EX | LOCK_NB) < 0; waited += LOOK_MS) {
		if (errno != EWOULDBLOCK || waited >= WAIT_MS)
			give_up(sim.state, errno);
		(void)usleep(LOOK_MS * 1000);
	}
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		give_up(path, errno);
}

void state_open(void)
{
	AUTO_JSON cJSON *lines = NULL;
	double before = now_seconds() - SIM_KEPT_SECONDS;
	const cJSON *line;

	if (asprintf(&events_path, "%s/events.jsonl", sim.state) < 0 ||
		asprintf(&sim.directory, "%s/files", sim.state) < 0)
		give_up(sim.state, ENOMEM);
	make_folder(sim.state);
	take_lock();
	make_folder(sim.directory);
	lines = read_lines();
	cJSON_ArrayForEach (line, lines)
		restore_line(line);
	tasks_settle();
	tasks_forget(before);
	rewrite(lines, before);
	restore_videos(lines);
	sweep();
}

void state_close(void)
{
	if (events && fclose(events) != 0)
		(void)fprintf(stderr, "kinofs-sim: %s: %s\n", events_path, strerror(errno));
	events = NULL;
	free(events_path);
	if (lock >= 0)
		(void)close(lock); /* nothing was written */
}
