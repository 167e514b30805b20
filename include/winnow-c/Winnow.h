/*===- winnow-c/Winnow.h - Winnow from C --------------------------------------------------------------------------===*\
|*                                                                                                                    *|
|* Everything that libwinnow.so offers. Programs that only run compiled artifacts need winnow-c/Runtime.h and         *|
|* libwinnow_runtime.so, which holds no compiler.                                                                     *|
|*                                                                                                                    *|
\*===--------------------------------------------------------------------------------------------------------------===*/

#ifndef WINNOW_C_WINNOW_H
#define WINNOW_C_WINNOW_H

#include "winnow-c/Compiler.h"
#include "winnow-c/Reference.h"
#include "winnow-c/Runtime.h"

#endif /* WINNOW_C_WINNOW_H */
