#include "fs/serve/daemon.h"

#include "fs/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
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

/* The protocol is one datagram; libsystemd would be a dependency for these lines. */
void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	int fd;

	if (!length || length >= sizeof(address.sun_path))
		return;
	(void)memcpy(address.sun_path, path, length);
	if (*path == '@') /* an abstract name begins with NUL */
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
			      bytes) < 0)
		log_warn("systemd was not told %s: %s", state, strerror(errno));
	if (fd >= 0)
		(void)close(fd); /* a datagram is gone once it is sent */
}
