#include "fs/serve/renew.h"

#include "fs/base/cleanup.h"
#include "fs/base/log.h"
#include "fs/config/config.h"
#include "fs/engine/control.h"
#include "fs/mount/mount.h"

#include <fcntl.h>
#include <signal.h>

static bool has_terminal(void)
{
	AUTO_FD int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	return fd >= 0;
}

static void say_renewed(const struct renewal *renewal, const bool has_key[PROVIDERS])
{
	const char *file = renewal->config->file;

	log_info(
		"SIGHUP: keys and caps were read anew%s%s (key for %s: %s, for %s: %s); all else of "
		"the configuration stays as it was until kinofs is mounted again",
		file ? " from " : "", file ? file : "", provider_at(0)->title,
		has_key[0] ? "yes" : "no", provider_at(1)->title, has_key[1] ? "yes" : "no");
}

static void add_cap(cJSON *object, const char *key, double cap)
{
	if (cap > 0)
		cJSON_AddNumberToObject(object, key, cap);
	else
		cJSON_AddNullToObject(object, key);
}

static void show_caps(struct mount *mount, const struct caps *caps)
{
	cJSON *object = cJSON_CreateObject();

	add_cap(object, "jobs_per_day", (double)caps->jobs_per_day);
	add_cap(object, "credits_per_day", caps->credits_per_day);
	add_cap(object, "credits_per_month", caps->credits_per_month);
	add_cap(object, "credits_per_job", caps->credits_per_job);
	mount_set_caps(mount, object);
}

static void renew(struct renewal *renewal)
{
	struct config fresh = {0};
	struct caps caps;
	bool has_key[PROVIDERS];
	int error = 0;

	if (renewal->simulated) {
		log_info("SIGHUP: the simulator has neither keys nor caps; nothing is read anew");
		return;
	}
	error = config_read(renewal->config->file, &fresh);
	caps = fresh.caps;
	for (size_t i = 0; i < PROVIDERS; i++)
		has_key[i] = fresh.account[i].key;
	if (!error)
		error = control_renew(renewal->control, &fresh);
	if (error) {
		log_error("SIGHUP: keys and caps stay as they were");
	} else {
		show_caps(renewal->mount, &caps);
		say_renewed(renewal, has_key);
	}
	config_clear(&fresh);
}

static void *wait_for_signal(void *context)
{
	struct renewal *renewal = context;
	sigset_t hangup;
	int number;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	while (sigwait(&hangup, &number) == 0 && !atomic_load(&renewal->ending)) {
		if (renewal->had_terminal && !has_terminal())
			mount_stop(renewal->mount);
		else
			renew(renewal);
	}
	return NULL;
}

void renewal_block(void)
{
	sigset_t hangup;

	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &hangup, NULL); /* fails only for a bad word */
}

int renewal_start(struct renewal *renewal)
{
	struct sigaction hangup;
	sigset_t all, before;
	int error;

	(void)sigaction(SIGHUP, NULL, &hangup); /* fails only for a bad number */
	show_caps(renewal->mount, &renewal->config->caps);
	renewal->had_terminal = hangup.sa_handler != SIG_IGN && has_terminal(); /* nohup(1) */
	sigfillset(&all); /* the others are the main thread's */
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&renewal->thread, NULL, wait_for_signal, renewal);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	renewal->running = !error;
	return -error;
}

void renewal_stop(struct renewal *renewal)
{
	if (!renewal->running)
		return;
	atomic_store(&renewal->ending, true);
	(void)pthread_kill(renewal->thread, SIGHUP); /* it is there until it is joined */
	(void)pthread_join(renewal->thread, NULL);
	renewal->running = false;
}
