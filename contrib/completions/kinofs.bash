# bash completion for kinofs(1)                                              -*- shell-script -*-

_kinofs()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} words=

	case $before in
	--model) words=$(kinofs models 2>/dev/null | cut -d' ' -f1) ;;
	-o)
		compopt -o nospace
		words="store= config= settle= lenient xattr allow_other"
		;;
	--timeout | -n) return ;;
	*)
		if ((COMP_CWORD == 1)); then
			words="check wait status retry cancel release models credits doctor -f -d -o --simulate --help --version"
		elif [[ $word == -* ]]; then
			case $command in
			check) words=--model ;;
			wait) words=--timeout ;;
			status | models) words=--json ;;
			retry) words=-n ;;
			cancel | release) ;;
			*) words="-f -d -o --simulate" ;;
			esac
		fi
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	((${#COMPREPLY[@]})) || compopt -o default # files
}

complete -F _kinofs kinofs
