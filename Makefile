# kinofs. `make demo` and `make test` install what is missing (Debian), build and run; nothing else
# is needed. `make` alone only builds. B=DIR builds elsewhere, SANITIZE=address,undefined or
# SANITIZE=thread builds with those sanitizers.
PREFIX   ?= /usr/local
DESTDIR  ?=
B        ?= build
SANITIZE ?=
WERROR   ?=

CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -I. -MMD -MP
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
            -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough
ALL_CFLAGS := -std=gnu11 $(WARNINGS) $(if $(WERROR),-Werror) -fno-strict-aliasing -pthread \
              $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined) \
              $(CFLAGS)
PACKAGES := fuse3 libcurl libcjson sqlite3 libcrypto
ifneq ($(filter-out deps clean,$(or $(MAKECMDGOALS),all)),)
ALL_CFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
endif
LIBS      = $(shell pkg-config --libs $(PACKAGES)) -lmagic -lm
SIM_LIBS  = -lmicrohttpd -lcjson -lcrypto -lm

MODELS   := $(sort $(shell find spec/models -name '*.json'))
SOURCES  := $(filter-out fs/main.c,$(wildcard spec/*.c fs/*.c fs/*/*.c))
OBJECTS  := $(SOURCES:%.c=$B/%.o) $B/spec/models.o
SIM_OBJECTS := $(patsubst %.c,$B/%.o,$(wildcard contrib/simulator/*.c))
UNIT     := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))

all: $B/kinofs $B/kinofs-sim

$B/kinofs: $B/fs/main.o $B/libkinofs.a
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$B/kinofs-sim: $(SIM_OBJECTS)
	$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(SIM_LIBS)

$B/libkinofs.a: $(OBJECTS)
	rm -f $@ && $(AR) rcs $@ $^

$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# The built-in models, as bytes: model_files[] of spec/builtin.h.
$B/spec/models.c: $(MODELS) spec/embed.sh
	@mkdir -p $(@D)
	sh spec/embed.sh $(MODELS) > $@.new && mv $@.new $@
$B/spec/models.o: $B/spec/models.c $(MODELS)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$B/unit/%: tests/unit/%.c $B/libkinofs.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $< $B/libkinofs.a $(LIBS) -lcmocka

unit: $(UNIT)
	@for t in $(UNIT); do echo "== $$t"; $$t || exit 1; done

clean:
	rm -rf build

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all unit clean
.DELETE_ON_ERROR:
.SECONDARY:
