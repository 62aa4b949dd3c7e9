#!/bin/sh
# Prints the C file that holds the given model files as bytes (see spec/builtin.h). The assembler's
# .incbin reads them as they are, so nothing can be lost in quoting.
echo '#include "spec/builtin.h"'
echo '#include <stddef.h>'
n=0
for file; do
	n=$((n + 1))
	printf '__asm__(".section .rodata\\n.global model_%d, model_%d_end\\n"\n' $n $n
	printf '\t"model_%d:\\n.incbin \\"%s\\"\\nmodel_%d_end:\\n.previous\\n");\n' $n "$file" $n
	printf 'extern const char model_%d[], model_%d_end[];\n' $n $n
done
echo 'const struct model_file model_files[] = {'
n=0
for file; do
	n=$((n + 1))
	printf '\t{"%s", model_%d, model_%d_end},\n' "$file" $n $n
done
printf '\t{NULL, NULL, NULL},\n};\n'
