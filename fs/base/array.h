/* array.h - arrays that grow. Pure; the array belongs to the thread that fills it. */
#ifndef KINOFS_BASE_ARRAY_H
#define KINOFS_BASE_ARRAY_H

#include <errno.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Makes place for one more behind the first count items of an array that has place for *room. 0, or
 * -ENOMEM with the array as it was. The two variables are given by name:
 *	error = ARRAY_ROOM(list->item, list->count, list->room);
 */
#define ARRAY_ROOM(array, count, room) array_room_(&(array), sizeof(*(array)), count, &(room))

/* array: the address of a pointer to items of size bytes. */
static inline int array_room_(void *array, size_t size, size_t count, size_t *room)
{
	size_t more = *room ? 2 * *room : 16;
	void *grown;

	if (count < *room)
		return 0;
	grown = reallocarray(*(void **)array, more, size);
	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	*room = more;
	return 0;
}

#endif
