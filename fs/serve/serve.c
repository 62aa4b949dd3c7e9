#include "fs/serve/serve.h"

#include "fs/base/cleanup.h"
#include "fs/base/descriptors.h"
#include "fs/base/log.h"
#include "fs/base/memory.h"
#include "fs/config/config.h"
#include "fs/config/models_load.h"
#include "fs/engine/engine.h"
#include "fs/engine/hook.h"
#include "fs/engine/host.h"
#include "fs/journal/journal.h"
#include "fs/journal/lastrun.h"
#include "fs/journal/view_open.h"
#include "fs/mount/mount.h"
#include "fs/mount/publish.h"
#include "fs/serve/daemon.h"
#include "fs/serve/renew.h"
#include "fs/serve/simulate.h"
#include "fs/serve/store.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct service {
	const struct serve_options *options;
	struct config config;
	struct model_set models;
	struct store store;
	pid_t simulator;
	struct last_run last;
	bool begun; /* the run is marked as under way, and must be marked as ended */
	struct journal *journal;
	struct view *view;
	struct hook *hook;
	struct engine *engine;
	struct mount *mount;
	struct publisher *publisher;
	struct renewal renewal;
};

static struct mount *mount_to_stop; /* for the signal handler alone */

static void on_signal(int signal)
{
	(void)signal;
	mount_stop(mount_to_stop);
}

/* Without SA_RESTART, so that the signal interrupts mount_serve() (mount.h). */
static void handle_signals(struct mount *mount)
{
	struct sigaction stop = {.sa_handler = on_signal};
	const int signals[] = {SIGTERM, SIGINT};

	renewal_block();
	mount_to_stop = mount;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		(void)sigaction(signals[i], &stop, NULL); /* fails only for a bad number */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* EFBIG for the writer instead */
}

/* What can fail for the user's reasons, before the fork. */
static int prepare(struct service *service)
{
	const struct serve_options *options = service->options;
	int error = models_load(&service->models);

	if (!error)
		error = config_read(options->config, &service->config);
	if (!error && options->settle_seconds >= 0)
		service->config.settle_ms = (int64_t)(options->settle_seconds * 1000);
	if (error)
		return error;
	return store_open(options->store, options->journal, options->simulate, &service->store);
}

static int open_journal(struct service *service)
{
	const struct store *store = &service->store;
	const struct run_folders folders = {.journal_fd = store->journal_fd,
		.store_fd = store->fd,
		.where = store->journal_dir};
	bool fresh;
	int error;

	last_run_look(store->journal_fd, &service->last);
	error = store_make_private(store);
	if (error)
		return error;
	service->journal = journal_open(store->journal_dir, &service->models, &fresh);
	if (!service->journal)
		return -EIO;
	service->view = view_open(store->journal_dir, &service->models);
	if (!service->view)
		return -EIO;
	error = last_run_begin(&folders, service->journal, fresh, &service->last);
	service->begun = !error;
	return error;
}

/* Whether a word is among options separated by commas. */
static bool has_option(const char *options, const char *word)
{
	size_t length = strlen(word);

	for (const char *rest = options; rest; rest = strchr(rest, ',')) {
		rest += *rest == ',';
		if (!strncmp(rest, word, length) && (!rest[length] || rest[length] == ','))
			return true;
	}
	return false;
}

static int make_engine(struct service *service)
{
	const struct engine_setup setup = {.store_fd = service->store.fd,
		.journal_fd = service->store.journal_fd,
		.mountpoint = service->options->mountpoint,
		.typed = service->options->typed,
		.models = &service->models,
		.config = &service->config,
		.view = service->view,
		.journal = service->journal,
		.last = &service->last,
		.hook = service->hook,
		.shared = has_option(service->options->fuse_options, "allow_other"),
		.read_only = has_option(service->options->fuse_options, "ro")};

	service->engine = engine_new(&setup);
	return service->engine ? 0 : -EIO;
}

static int make_mount(struct service *service)
{
	const struct mount_setup setup = {.mountpoint = service->options->mountpoint,
		.fuse_options = service->options->fuse_options,
		.store_fd = service->store.fd,
		.journal_fd = service->store.journal_fd,
		/* the simulator's accounts are none of it */
		.config = service->options->simulate ? NULL : service->config.file,
		.debug = service->options->debug,
		.shared = has_option(service->options->fuse_options, "allow_other"),
		.lenient = service->options->lenient,
		.models = &service->models,
		.intake = engine_intake(service->engine),
		.view = service->view,
		.control = engine_control(service->engine),
		.figures = engine_figures(service->engine),
		.hook = service->hook};
	int error;

	service->mount = mount_new(&setup, &error);
	return service->mount ? 0 : error;
}

static bool is_written(void *service, const char *path)
{
	return mount_is_being_written(((struct service *)service)->mount, path);
}

static int publish(void *service, const struct publish_order *order)
{
	return publisher_post(((struct service *)service)->publisher, order);
}

static int shown(void *service, const char *name, char **path)
{
	return mount_shown(((struct service *)service)->mount, name, path);
}

static void warn(void *service, char *text)
{
	mount_warn(((struct service *)service)->mount, text);
}

static void events_grew(void *service)
{
	mount_events_grew(((struct service *)service)->mount);
}

static int start_renewal(struct service *service)
{
	service->renewal = (struct renewal){.config = &service->config,
		.simulated = service->options->simulate,
		.control = engine_control(service->engine),
		.mount = service->mount};
	return renewal_start(&service->renewal);
}

static int start_engine(struct service *service)
{
	const struct host host = {.is_written = is_written,
		.publish = publish,
		.shown = shown,
		.warn = warn,
		.events_grew = events_grew,
		.context = service};

	return engine_start(service->engine, &host);
}

/* In the process that will serve: curl, journal, mount, threads, in this order. */
static int start(struct service *service)
{
	int error;

	if (service->options->simulate) {
		service->simulator = simulate_start(&service->config, service->store.journal_dir);
		if (service->simulator < 0)
			return service->simulator;
	}
	descriptors_raise();
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	error = open_journal(service);
	if (!error)
		error = hook_new(service->config.hook, service->options->mountpoint, service->view,
			&service->hook);
	if (!error)
		error = make_engine(service);
	if (!error)
		error = make_mount(service);
	if (error)
		return error;
	handle_signals(service->mount);
	service->publisher = publisher_start(service->mount, &error);
	if (!service->publisher)
		return error;
	error = start_engine(service);
	return error ? error : start_renewal(service);
}

static void end(struct service *service)
{
	store_ending(&service->store);
	renewal_stop(&service->renewal);
	if (service->engine)
		engine_stop(service->engine);
	hook_stop(service->hook);
	if (service->publisher)
		publisher_stop(service->publisher);
	if (service->mount)
		mount_free(service->mount);
	engine_free(service->engine);
	hook_free(service->hook);
	if (service->begun)
		last_run_end(service->store.journal_fd, service->journal);
	view_close(service->view);
	journal_close(service->journal);
	simulate_end(service->simulator);
	curl_global_cleanup();
}

static void forget(struct service *service)
{
	models_free(&service->models);
	config_clear(&service->config);
	store_close(&service->store);
}

int serve(const struct serve_options *options)
{
	struct service service = {.options = options, .store = {.fd = -1, .journal_fd = -1}};
	int ready = -1;
	int error;

	memory_guard();
	error = prepare(&service);
	if (!error && !options->foreground) {
		ready = daemon_fork();
		error = ready < 0 ? ready : 0;
	}
	if (!error) {
		error = start(&service);
		if (!error && ready >= 0)
			daemon_ready(ready);
		if (!error) {
			daemon_notify("READY=1");
			error = mount_serve(service.mount);
			daemon_notify("STOPPING=1");
		}
		end(&service);
	}
	forget(&service);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
