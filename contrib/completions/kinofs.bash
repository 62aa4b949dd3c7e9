# bash completion for kinofs(1)                                              -*- shell-script -*-

# The months in which something was ordered.
_kinofs_months()
{
	awk '$3 == "fuse.kinofs" { print $2 "/.kinofs/spending" }' /proc/self/mounts |
		xargs -r ls 2>/dev/null | sed -n 's/\.json$//p' | sort -u
}

_kinofs()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=

	case $before in
	--state) words="waiting held queued uploading submitting running downloading done rejected failed unknown cancelled" ;;
	--month) words=$(_kinofs_months) ;;
	--by) words="model folder day user" ;;
	--model) words=$(kinofs models 2>/dev/null | cut -d' ' -f1) ;;
	-o)
		compopt -o nospace
		words="store= journal= config= settle= lenient nonempty xattr allow_other"
		;;
	--timeout | -n) return ;;
	*)
		if [[ $command == models && $COMP_CWORD -eq 2 && $word != -* ]]; then
			words=update
		elif ((COMP_CWORD == 1)); then
			words="check wait status spend show retry cancel release models credits setup doctor -f -d -o --simulate --help --version"
		elif [[ $word == -* ]]; then
			case $command in
			check) words=--model ;;
			wait) words=--timeout ;;
			status) words="-a --state --model --watch --json" ;;
			spend) words="--month --by --csv" ;;
			models) words=--json ;;
			retry) words="-n --failed -y" ;;
			release) words=-y ;;
			show | cancel) ;;
			*) words="-f -d -o --simulate" ;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	((${#COMPREPLY[@]})) || compopt -o default # files
}

complete -F _kinofs kinofs
