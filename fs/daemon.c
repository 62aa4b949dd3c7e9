#include "fs/daemon.h"

#include "fs/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* The child's messages go to the terminal themselves until it is ready. */
static _Noreturn void wait_for_child(int fd)
{
	char ready;
	ssize_t got;

	do
		got = read(fd, &ready, 1);
	while (got < 0 && errno == EINTR);
	_exit(got == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int daemon_fork(void)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0)
		return -errno;
	if (child > 0) {
		(void)close(ends[1]); /* so that a child that dies ends the wait */
		wait_for_child(ends[0]);
	}
	(void)close(ends[0]); /* the parent's end */
	(void)setsid();       /* fails only for a leader, which a new child is not */
	return ends[1];
}

void daemon_ready(int fd)
{
	const char ready = 1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_to_syslog();
	if (chdir("/") < 0) /* so that the folder it was started in can be unmounted */
		log_warn("cannot leave the folder kinofs was started in");
	for (int i = 0; i < 3 && null >= 0; i++)
		(void)dup2(null, i); /* fails only for a bad descriptor */
	if (write(fd, &ready, 1) != 1)
		log_warn("nobody waited for the mount");
	(void)close(fd); /* nothing more to say */
}
