# kinofs. `make demo` and `make test` install what is missing (Debian), build and run; nothing else
# is needed. `make` alone only builds. B=DIR builds elsewhere, SANITIZE=address,undefined or
# SANITIZE=thread builds with those sanitizers, WERROR=1 stops at a warning.
PREFIX   ?= /usr/local
# Files that are installed name it: absolute, also where the shell left a ~ in the word alone.
override PREFIX := $(abspath $(if $(filter ~%,$(PREFIX)),$(shell echo $(PREFIX)),$(PREFIX)))
DESTDIR  ?=
B        ?= build
SANITIZE ?=
WERROR   ?=

CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -I. -MMD -MP
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough
# A daemon that holds keys and reads what strangers send. (Fortifying needs an optimiser, and the
# sanitizers look at more.) Linked with the same flags.
HARDENING := $(if $(filter-out -O0,$(lastword -O0 $(filter -O%,$(CFLAGS)))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3) \
             -fstack-protector-strong -fstack-clash-protection -fPIE -pie \
             -Wl,-z,relro,-z,now,-z,noexecstack
ALL_CFLAGS := -std=gnu11 $(WARNINGS) $(if $(WERROR),-Werror) -fno-strict-aliasing -pthread \
              $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
              $(if $(SANITIZE),,$(HARDENING)) $(CFLAGS)
PACKAGES := fuse3 libcurl libcjson sqlite3 libcrypto

# These goals build in a make of their own, after the libraries have been installed.
ifneq ($(filter-out demo test bench torture lint deb clean uninstall,$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell pkg-config --exists $(PACKAGES) 2>/dev/null && echo found),found)
$(error Something to build with is missing. This installs it: contrib/install-dependencies build)
endif
ALL_CFLAGS += $(shell pkg-config --cflags $(PACKAGES))
endif
LIBS      = $(shell pkg-config --libs $(PACKAGES)) -lmagic -lm
SIM_LIBS  = -lmicrohttpd -lcjson -lcrypto -lm

MODELS   := $(sort $(shell find spec/models -name '*.json'))
SOURCES  := $(filter-out fs/main.c,$(wildcard spec/*.c fs/*.c fs/*/*.c))
OBJECTS  := $(SOURCES:%.c=$B/%.o) $B/spec/models.o $B/fs/mount/gallery_page.o
SIM_OBJECTS := $(patsubst %.c,$B/%.o,$(wildcard contrib/simulator/*.c))
UNIT     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
SIMULATION := $(patsubst %.c,$B/%.o,$(wildcard tests/sim/*.c)) $(patsubst %,$B/tests/power/%.o,record disk states left)
FUZZ     := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# One short line for each file; V=1 shows the commands.
quiet = $(if $V,,@echo "  $1  $2";)

all: $B/kinofs $B/kinofs-sim

$B/kinofs: $B/fs/main.o $B/libkinofs.a
	$(call quiet,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$B/kinofs-sim: $(SIM_OBJECTS) $B/spec/models.o
	$(call quiet,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(SIM_LIBS)

$B/libkinofs.a: $(OBJECTS)
	$(call quiet,AR,$@)rm -f $@ && $(AR) rcs $@ $^

# Makefile: with other flags it is another object.
$B/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The built-in models, as bytes: model_files[] of spec/builtin.h.
$B/spec/models.c: $(MODELS) spec/embed.sh
	@mkdir -p $(@D)
	$(call quiet,EMBED,$@)sh spec/embed.sh $(MODELS) > $@.new && mv $@.new $@
$B/spec/models.o: $B/spec/models.c $(MODELS)
	$(call quiet,CC,$<)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# gallery.html, one file, as bytes: fs/mount/gallery_page.h.
$B/fs/mount/gallery.html: $(wildcard fs/mount/gallery/*)
	@mkdir -p $(@D)
	$(call quiet,EMBED,$@)sh fs/mount/gallery/assemble > $@.new && mv $@.new $@
$B/fs/mount/gallery_page.o: $B/fs/mount/gallery.html
	$(call quiet,CC,$@)printf '.section .rodata\n.global gallery_page, gallery_page_end\n%s\n.section .note.GNU-stack,"",%%progbits\n' \
		'gallery_page: .incbin "$<"; gallery_page_end:' | $(CC) -x assembler -c -o $@ -

# ---------------------------------------------------------------- demo and tests

demo:
	@contrib/install-dependencies demo
	@$(MAKE) --no-print-directory $(if $(findstring j,$(MAKEFLAGS)),,-j$(shell nproc)) all
	@contrib/demo $B

# PARTS: some of unit sim fuzz mount asan tsan valgrind lint; or T, one test. tests/README.md says more.
test:
	@contrib/install-dependencies test
	@B=$B tests/run $(if $T,one '$T',$(PARTS))

# BENCH: options of tests/bench/run, --quick for one
bench:
	@contrib/install-dependencies bench
	@$(MAKE) --no-print-directory all
	@B=$B tests/bench/run $(BENCH)

# Every campaign for hours: HOURS=2, or SECONDS=600; TORTURE: options of tests/torture/run.
torture:
	@contrib/install-dependencies test
	@$(MAKE) --no-print-directory all sim
	@B=$B HOURS='$(HOURS)' SECONDS='$(SECONDS)' tests/torture/run $(TORTURE)

lint:
	@contrib/install-dependencies lint
	@tests/run lint

$B/unit/%: tests/unit/%.c $B/libkinofs.a
	@mkdir -p $(@D)
	$(call quiet,LINK,$@)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $B/libkinofs.a $(LIBS) -lcmocka

# The fuzzers want CC=clang and everything instrumented: SANITIZE=fuzzer-no-link,address,undefined.
$B/fuzz/%: tests/fuzz/%.c $B/libkinofs.a
	@mkdir -p $(@D)
	$(call quiet,LINK,$@)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< $B/libkinofs.a $(LIBS)

# The engine with a clock, a provider and a mount of the test's own.
WRAPPED := fdatasync fstatvfs64 fstat64 fstatat64 statx futimens journal_commit journal_forget journal_put_upload \
           journal_spending announce boot_id job_set_state job_hold jobs_list digest_fd
$B/sim/engine: $(SIMULATION) $B/libkinofs.a
	@mkdir -p $(@D)
	$(call quiet,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LIBS)
$(filter $B/unit/test_engine_%,$(UNIT)): $B/unit/%: $B/tests/unit/%.o $B/tests/unit/engine.o \
		$(filter-out %/main.o,$(SIMULATION)) $B/libkinofs.a
	@mkdir -p $(@D)
	$(call quiet,LINK,$@)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(WRAPPED:%=-Wl,--wrap=%) -o $@ $^ $(LIBS) -lcmocka

unit: $(UNIT)
sim: $B/sim/engine
fuzz: $(FUZZ)

# ---------------------------------------------------------------- installing

SHARE = $(DESTDIR)$(PREFIX)/share
# Debian's packages have other folders for these.
ZSH_FOLDER = $(PREFIX)/share/zsh/site-functions
SYSTEMD_FOLDER = $(PREFIX)/lib/systemd/system
# Nemo and Caja look for extensions below /usr and in the home, not in /usr/local.
EXTENSIONS = $(patsubst %,$(DESTDIR)$(patsubst /usr/local,/usr,$(PREFIX))/share/%-python/extensions, \
               nautilus nemo caja thunarx)
PCMANFM = $(notdir $(wildcard contrib/file-manager/pcmanfm/*))
DOLPHIN = $(notdir $(wildcard contrib/file-manager/dolphin/*))
with_prefix = sed 's|@PREFIX@|$(PREFIX)|g'

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/man/man5 \
		$(SHARE)/doc/kinofs $(SHARE)/bash-completion/completions \
		$(DESTDIR)$(ZSH_FOLDER) $(SHARE)/fish/vendor_completions.d \
		$(SHARE)/kinofs/file-manager $(SHARE)/kinofs/hooks $(SHARE)/systemd/user \
		$(SHARE)/file-manager/actions $(SHARE)/kio/servicemenus $(EXTENSIONS) \
		$(DESTDIR)$(SYSTEMD_FOLDER)
	install $B/kinofs $B/kinofs-sim $(DESTDIR)$(PREFIX)/bin
	install -m 644 man/*.1 $(SHARE)/man/man1
	install -m 644 man/*.5 $(SHARE)/man/man5
	install -m 644 README.md LICENSE $(SHARE)/doc/kinofs
	find contrib/examples -type f -printf '%P\n' | xargs -I{} \
		install -D -m 644 contrib/examples/{} $(SHARE)/doc/kinofs/examples/{}
	install contrib/hooks/notify $(SHARE)/kinofs/hooks
	install -D -m 644 contrib/skill/SKILL.md $(SHARE)/kinofs/skills/kinofs/SKILL.md
	install -m 644 contrib/completions/kinofs.bash $(SHARE)/bash-completion/completions/kinofs
	install -m 644 contrib/completions/_kinofs $(DESTDIR)$(ZSH_FOLDER)
	install -m 644 contrib/completions/kinofs.fish $(SHARE)/fish/vendor_completions.d
	$(with_prefix) contrib/file-manager/kinofs-action > $(SHARE)/kinofs/file-manager/kinofs-action
	chmod 755 $(SHARE)/kinofs/file-manager/kinofs-action
	for folder in $(EXTENSIONS); do \
		$(with_prefix) contrib/file-manager/kinofs_files.py > $$folder/kinofs_files.py || exit; \
	done
	for file in $(PCMANFM); do \
		$(with_prefix) contrib/file-manager/pcmanfm/$$file > $(SHARE)/file-manager/actions/$$file || exit; \
	done
	for file in $(DOLPHIN); do \
		$(with_prefix) contrib/file-manager/dolphin/$$file > $(SHARE)/kio/servicemenus/$$file && \
		chmod 755 $(SHARE)/kio/servicemenus/$$file || exit; \
	done
	$(with_prefix) contrib/systemd/kinofs.service > $(SHARE)/systemd/user/kinofs.service
	$(with_prefix) contrib/systemd/kinofs-everyone.service > $(DESTDIR)$(SYSTEMD_FOLDER)/kinofs.service
	$(with_prefix) contrib/systemd/kinofs@.service > $(DESTDIR)$(SYSTEMD_FOLDER)/kinofs@.service

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/kinofs $(DESTDIR)$(PREFIX)/bin/kinofs-sim \
		$(patsubst man/%,$(SHARE)/man/man1/%,$(wildcard man/*.1)) \
		$(patsubst man/%,$(SHARE)/man/man5/%,$(wildcard man/*.5)) \
		$(SHARE)/bash-completion/completions/kinofs $(DESTDIR)$(ZSH_FOLDER)/_kinofs \
		$(SHARE)/fish/vendor_completions.d/kinofs.fish \
		$(SHARE)/systemd/user/kinofs.service \
		$(EXTENSIONS:%=%/kinofs_files.py) $(PCMANFM:%=$(SHARE)/file-manager/actions/%) \
		$(DOLPHIN:%=$(SHARE)/kio/servicemenus/%) \
		$(DESTDIR)$(SYSTEMD_FOLDER)/kinofs.service $(DESTDIR)$(SYSTEMD_FOLDER)/kinofs@.service
	rm -rf $(SHARE)/doc/kinofs $(SHARE)/kinofs

# A package for this Debian: build/deb/kinofs_VERSION_ARCHITECTURE.deb
deb:
	@contrib/install-dependencies deb
	@contrib/packaging/make-deb $B

clean:
	rm -rf $B

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all demo test bench torture lint unit sim fuzz install uninstall deb clean
.DELETE_ON_ERROR:
.SECONDARY:
