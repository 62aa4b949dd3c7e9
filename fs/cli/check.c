/*
 * kinofs check: what a drop of these files would do, without dropping them.
 * The same code judges them as after a drop (assemble.h), so the answers agree.
 */
#include "fs/cli/cli.h"

#include "fs/base/cleanup.h"
#include "fs/base/path.h"
#include "fs/base/quote.h"
#include "fs/input/assemble.h"
#include "fs/net/provider.h"
#include "spec/price.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <string.h>

/* A file to check, and where its job's files are. */
struct target {
	struct tree tree;
	struct place place;
	char *mount; /* NULL: they are in none */
};

/* In a mount the path says the model; elsewhere --model does, and the file's folder stands for the
 * model's directory. */
static int find_target(
	const struct model_set *models, const char *model, const char *file, struct target *target)
{
	AUTO_FREE char *folder = strdup(file), *path = NULL;
	char *slash = folder ? strrchr(folder, '/') : NULL;
	const char *name = slash ? slash + 1 : file;

	if (!folder)
		return -ENOMEM;
	if (!model) {
		if (!cli_find_mount(file, &target->mount, &path))
			return -EINVAL;
		target->tree =
			(struct tree){.fd = open(target->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				.seen_at = target->mount};
		return place_of(models, path, &target->place);
	}
	path = path_join(model, name);
	if (!path)
		return -ENOMEM;
	if (slash)
		*slash = '\0';
	target->tree.fd =
		open(slash ? (*folder ? folder : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	target->tree.skip = strlen(model) + 1;
	return place_of(models, path, &target->place);
}

static void print_problems(const char *file, const struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++)
		(void)fprintf(stderr, "%s: %s%s%s\n", file,
			problems->item[i].field ? problems->item[i].field : "",
			problems->item[i].field ? ": " : "", problems->item[i].text);
}

/* Of all takes that the spec asks for. */
static void print_price(
	const char *file, const struct model *model, const struct assembly *assembly)
{
	const struct spec *spec = &assembly->spec;
	struct price price =
		price_estimate(model, spec->body, assembly->picture, assembly->npictures);

	printf("# %s: ", file);
	if (spec->takes > 1)
		printf("%d takes, ", spec->takes);
	if (price.known)
		printf("about %.10g credits ($%.3f)%s, by the price list of %s\n",
			spec->takes * price.credits, spec->takes * price.usd,
			spec->takes > 1 ? " in all" : "", price.date);
	else
		printf("%s price is not known\n", spec->takes > 1 ? "their" : "its");
}

static int print_request(
	const char *file, const struct model *model, const struct assembly *assembly)
{
	AUTO_FREE char *text = quote_json_print(assembly->spec.body, true);

	if (!text)
		return CLI_FAILED;
	puts(text);
	for (size_t i = 0; i < assembly->npictures; i++) {
		const struct picture *picture = &assembly->picture[i];
		const char *sent = provider_find(model->provider)->uploads
		                           ? "uploaded first"
		                           : "sent within the request";
		AUTO_FREE char *path = quote_name(picture->path);

		if (picture->frame)
			printf("# %s: the %s frame of %s, would be %s\n", picture->field,
				film_frame_name(picture->frame), path ? path : "", sent);
		else
			printf("# %s: %s, %lld bytes, would be %s\n", picture->field, picture->type,
				(long long)picture->bytes, sent);
	}
	print_price(file, model, assembly);
	return CLI_OK;
}

static int check(const char *file, const struct target *target)
{
	struct assembly assembly = {0};
	int status = CLI_FAILED;
	int error = assemble(&target->tree, target->place.model, target->place.dir,
		target->place.stem, &assembly);

	if (error || assembly.files.count == 0)
		(void)fprintf(stderr, "%s: %s\n", file, strerror(error ? -error : ENOENT));
	else if (assembly.problems.count)
		print_problems(file, &assembly.problems);
	else if (assembly.missing.count) {
		(void)fprintf(stderr, "%s: would wait for:\n", file);
		print_problems(file, &assembly.missing);
	} else {
		status = print_request(file, target->place.model, &assembly);
	}
	assembly_clear(&assembly);
	return status;
}

static int check_file(const struct model_set *models, const char *model, const char *file)
{
	struct target target = {.tree = {.fd = -1}};
	AUTO_FREE char *shown = quote_name(file);
	int status = CLI_USAGE;
	int error = find_target(models, model, file, &target);

	if (!error && target.tree.fd >= 0 && target.place.stem && target.place.role != ROLE_NONE)
		status = check(shown ? shown : "", &target);
	else if (error != -EINVAL)
		(void)fprintf(stderr,
			"%s: a drop of this file would start nothing: it is no .json, .txt or "
			"picture in a model's directory\n",
			shown ? shown : "");
	place_clear(&target.place);
	cleanup_fd(&target.tree.fd);
	free(target.mount);
	return status;
}

int cli_check(int argc, char **argv)
{
	static const struct option options[] = {
		{"model", required_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
	struct model_set models = {0};
	const char *model = NULL;
	int status = CLI_OK;
	int letter;

	while ((letter = getopt_long(argc, argv, "m:", options, NULL)) == 'm')
		model = optarg;
	if (letter != -1 || optind == argc) {
		cli_usage(argv[0]);
		return CLI_USAGE;
	}
	if (cli_models_load(&models) < 0)
		status = CLI_FAILED;
	else if (model && !models_find(&models, model)) {
		(void)fprintf(stderr, "kinofs: no model %s; see: kinofs models\n", model);
		status = CLI_USAGE;
	}
	for (int i = optind; i < argc && (status == CLI_OK || i > optind); i++) {
		int result = check_file(&models, model, argv[i]);

		if (result > status)
			status = result;
	}
	models_free(&models);
	return status;
}
