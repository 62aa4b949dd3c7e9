/*
 * kinofs-sim - kie.ai and PPInfra on loopback, for demos and tests.
 *
 * It answers as the providers do (their pages, their recorded traffic), makes a short real video
 * of each job's own picture and prompt, keeps a log of every request, and misbehaves on demand.
 * It never connects to anything: a picture at a foreign address is replaced by a gradient, and a
 * callBackUrl is accepted and echoed but not called.
 *
 * --help is its manual; faults.h explains the rules, request by request it is route.c that decides.
 */
#include "contrib/simulator/api.h"
#include "contrib/simulator/catalogue.h"
#include "contrib/simulator/picture.h"
#include "contrib/simulator/rate.h"
#include "contrib/simulator/server.h"
#include "contrib/simulator/state.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct sim sim = {
	.seconds = 3,
	.rate = 20,
	.credits = 100000,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

static const char usage[] =
	"usage: kinofs-sim [--port N] [--seconds S] [--log FILE] [--faults FILE] [--clip FILE]\n"
	"                  [--credits N] [--rate N] [--models DIR] [--catalogue FILE] [--state DIR]\n";

static const char help[] =
	"Serves the kie.ai and PPInfra APIs on 127.0.0.1 and makes a playable film, a picture or\n"
	"a sound of every job, as its model promises. Its first line on stdout is its address.\n"
	"SIGTERM or SIGINT ends it.\n"
	"\n"
	"  --port N       listen on this port (0, the default: any free one)\n"
	"  --seconds S    how long a task runs, fractions allowed (3)\n"
	"  --log FILE     append one JSON object a line for each request\n"
	"  --faults FILE  rules to misbehave by, as for POST /sim/faults\n"
	"  --clip FILE    serve this file instead of making a film; a picture or sound by its\n"
	"                 name, instead of making one of those (can be given more than once)\n"
	"  --credits N    the balance at the start (100000)\n"
	"  --rate N       tasks accepted in 10 s before 429 (20; 0: any number, and of questions\n"
	"                 to the catalogue, too: else one a second)\n"
	"  --models DIR   serve these model files too, see kinofs-spec(5)\n"
	"  --catalogue FILE  the catalogue of GET /api/v1/models, instead of the models served:\n"
	"                 {\"models\": [{\"model\", \"kind\", \"title\", \"input\": schema, \"price\"}]}\n"
	"  --state DIR    keep tasks, uploads, results and the balance here, and go on with them\n"
	"                 at the next start, on the same port; results are kept for 14 days\n"
	"\n"
	"Any key is good unless it contains the word \"invalid\". Beside the providers' paths:\n"
	"\n"
	"  GET  /sim/stats   requests by kind; creates accepted, refused, rate_limited, "
	"max_in_10s;\n"
	"                    tasks by state; credits; faults_applied\n"
	"  GET  /sim/tasks   every task: id, model, state, prompt_sha256, created\n"
	"  POST /sim/faults  a list of rules that replaces the last one, [] clears:\n"
	"                    [{\"on\": \"create\", \"do\": \"reset_after\", \"times\": 1, "
	"\"skip\": 2,\n"
	"                      \"model\": \"hailuo/02-text-to-video-pro\"}]\n"
	"\n"
	"  on     create poll upload download credit catalogue\n"
	"  do     instead of acting: http (value: status), code (value: kie.ai's code or "
	"PPInfra's\n"
	"         reason), reset_before, html, huge, redirect (value: where to);\n"
	"         after acting: reset_after, stall, delay (value: seconds), truncate, garbage;\n"
	"         fail (value: reason) on create and poll, expire on poll and download\n"
	"  times  how often (1; 0: always), after letting `skip` matching requests pass\n"
	"  model  only requests for this model\n";

static const struct option options[] = {
	{"port", required_argument, NULL, 'p'},
	{"seconds", required_argument, NULL, 's'},
	{"log", required_argument, NULL, 'l'},
	{"faults", required_argument, NULL, 'f'},
	{"catalogue", required_argument, NULL, 'k'},
	{"models", required_argument, NULL, 'm'},
	{"state", required_argument, NULL, 'd'},
	{"clip", required_argument, NULL, 'c'},
	{"credits", required_argument, NULL, 'b'},
	{"rate", required_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static double read_number(const char *option, const char *text, double most, bool is_whole)
{
	char *end;
	double number = strtod(text, &end);

	if (end != text && !*end && number >= 0 && number <= most &&
		(!is_whole || number == floor(number)))
		return number;
	(void)fprintf(stderr, "kinofs-sim: %s: not a number from 0 to %.0f: %s\n%s", option, most,
		text, usage);
	exit(2);
}

/* Whatever is not a picture or sound by its name is a film; if there is none, films get it too. */
static void take_clip(const char *path)
{
	const char *suffix = strrchr(path, '.');
	enum kind kind = KIND_VIDEO;
	static bool has_film;

	if (suffix)
		(void)result_kind(suffix + 1, &kind); /* else a film */
	sim.clips[kind] = path;
	has_film |= kind == KIND_VIDEO;
	if (!has_film)
		sim.clips[KIND_VIDEO] = path;
}

static void read_option(int option)
{
	switch (option) {
	case 'p': sim.port = (int)read_number("--port", optarg, 65535, true); break;
	case 's': sim.seconds = read_number("--seconds", optarg, 86400, false); break;
	case 'b': sim.credits = read_number("--credits", optarg, 1e12, false); break;
	case 'r': sim.rate = (int)read_number("--rate", optarg, 1e6, true); break;
	case 'l': sim.log = optarg; break;
	case 'f': sim.faults = optarg; break;
	case 'k': sim.catalogue = optarg; break;
	case 'm': sim.models = optarg; break;
	case 'd': sim.state = optarg; break;
	case 'c': take_clip(optarg); break;
	case 'h': (void)fputs(usage, stdout); exit(fputs(help, stdout) < 0);
	default: (void)fputs(usage, stderr); exit(2);
	}
}

static void read_options(int count, char **arguments)
{
	int option;

	while ((option = getopt_long(count, arguments, "", options, NULL)) != -1)
		read_option(option);
	if (optind == count)
		return;
	(void)fprintf(stderr, "kinofs-sim: unexpected argument: %s\n%s", arguments[optind], usage);
	exit(2);
}

/* A wrong file is a wrong call: say so before anything is started. Takes the problem. */
static void check_file(const char *path, char *problem)
{
	if (!problem)
		return;
	(void)fprintf(stderr, "kinofs-sim: %s: %s\n", path, problem);
	free(problem);
	exit(2);
}

static char *access_problem(const char *path)
{
	return access(path, R_OK) < 0 ? strdup(strerror(errno)) : NULL;
}

static void check_files(void)
{
	if (sim.faults)
		check_file(sim.faults, faults_load(sim.faults));
	if (sim.catalogue)
		check_file(sim.catalogue, catalogue_load(sim.catalogue));
	if (sim.models)
		check_file(sim.models, access_problem(sim.models));
	for (size_t kind = 0; kind < 3; kind++)
		if (sim.clips[kind])
			check_file(sim.clips[kind], access_problem(sim.clips[kind]));
}

/* Descriptors 0 to 2 are always open: no file of ours may take their place. */
static void hold_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd); /* nothing was written */
}

static int make_directory(void)
{
	const char *parent = getenv("TMPDIR");

	if (sim.state) {
		state_open();
		return 0;
	}
	if (asprintf(&sim.directory, "%s/kinofs-sim-XXXXXX", parent && *parent ? parent : "/tmp") <
		0)
		return -ENOMEM;
	if (mkdtemp(sim.directory))
		return 0;
	(void)fprintf(stderr, "kinofs-sim: %s: %s\n", sim.directory, strerror(errno));
	return -errno;
}

static void remove_directory(void)
{
	if (!sim.state)
		remove_tree(sim.directory);
	free(sim.directory);
}

static int run(const sigset_t *signals)
{
	int signal_number;

	if (render_start() < 0) {
		(void)fputs("kinofs-sim: cannot start a thread\n", stderr);
		return 1;
	}
	if (server_start() < 0)
		return 1;
	pthread_mutex_lock(&sim.lock);
	state_listening();
	pthread_mutex_unlock(&sim.lock);
	if (printf("kinofs-sim listening on %s\n", sim.base) < 0 || fflush(stdout) != 0)
		(void)fputs("kinofs-sim: stdout is closed\n", stderr);
	(void)sigwait(signals, &signal_number); /* fails only on misuse */
	server_stop();
	return 0;
}

static void end(void)
{
	pthread_mutex_lock(&sim.lock);
	sim.keeps = sim.state;
	pthread_mutex_unlock(&sim.lock);
	render_stop();
	upload_free();
	tasks_free();
	state_close();
	remove_directory();
}

int main(int count, char **arguments)
{
	sigset_t signals;
	int status = 1;

	hold_standard_files();
	(void)signal(SIGPIPE, SIG_IGN); /* cannot fail */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread: all inherit it */
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* glibc has it built in: texts are UTF-8 */
	read_options(count, arguments);
	check_files();
	models_load(sim.models);
	log_open();
	random_bytes(sim.key, sizeof(sim.key));
	if (make_directory() == 0) {
		status = run(&signals);
		end();
	}
	catalogue_free();
	models_free();
	faults_free();
	rate_free();
	log_close();
	return status;
}
