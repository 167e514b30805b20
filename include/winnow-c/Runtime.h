/*===- winnow-c/Runtime.h - load and run compiled FFNs from C -------------------------------------------------------===*\
|*                                                                                                                      *|
|* The runtime by itself: no compiler, no LLVM. Needs the CUDA driver at run time only, and only to load an executable.  *|
|*                                                                                                                      *|
|* Errors: a function that can fail returns NULL on success, else a winnow_error that the caller owns and gives back    *|
|* with winnow_error_destroy. Out-parameters are written on success only. No function throws, prints, exits or aborts.  *|
|* Threads: every function may be called from several threads at once; winnow_executable_execute too, each call with     *|
|* a workspace of its own.                                                                                              *|
|*                                                                                                                      *|
\*===------------------------------------------------------------------------------------------------------------------===*/

#ifndef WINNOW_C_RUNTIME_H
#define WINNOW_C_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WINNOW_C_API __attribute__((visibility("default")))
#else
#define WINNOW_C_API
#endif

/** Grows when a declaration in this header changes its meaning or goes; additions leave it. */
#define WINNOW_RUNTIME_ABI_VERSION 1

/** The ABI version of the library that was loaded; compare with WINNOW_RUNTIME_ABI_VERSION. */
WINNOW_C_API int winnow_runtime_abi_version(void);

typedef struct winnow_error winnow_error;
typedef struct winnow_executable winnow_executable;

/** Text of an error; lives as long as the error. */
WINNOW_C_API const char *winnow_error_message(const winnow_error *error);
/** Accepts NULL. */
WINNOW_C_API void winnow_error_destroy(winnow_error *error);

typedef enum winnow_element_type {
  WINNOW_F32 = 0,
  WINNOW_BF16 = 1,
  WINNOW_F16 = 2,
  WINNOW_F8E4M3 = 3,
  WINNOW_F8E5M2 = 4,
  WINNOW_I1 = 5, /**< one byte per element, 0 or 1 */
  WINNOW_I32 = 6,
  WINNOW_U8 = 7
} winnow_element_type;

/** An input or output: row-major, 16-byte aligned. Pointers live as long as the executable. */
typedef struct winnow_argument {
  const char *name;
  winnow_element_type element;
  size_t rank;
  const int64_t *shape; /**< -1 is the token count */
  int is_weight;        /**< contents stay the same from call to call */
} winnow_argument;

/** Token counts that have kernels of their own: an executable chooses by the count of each call. Strings live as long as
 *  what was asked. */
typedef struct winnow_token_range {
  int64_t first;        /**< first count of the range */
  int64_t last;         /**< last count of the range */
  int64_t decided_for;  /**< count in it that layouts and schedules were decided for; 0: not known */
  const char *summary;  /**< what was decided, for people; may be "" */
} winnow_token_range;

/** Loads the artifact (.wnw) at `path` on CUDA device `device` and keeps the device's primary context. The caller owns
 *  *executable. */
WINNOW_C_API winnow_error *winnow_executable_load(const char *path, int device, winnow_executable **executable);
/** The same from memory; the bytes are copied. */
WINNOW_C_API winnow_error *winnow_executable_load_bytes(const void *bytes, size_t size, int device,
                                                        winnow_executable **executable);
/** Accepts NULL. Work that was enqueued must have finished. */
WINNOW_C_API void winnow_executable_destroy(winnow_executable *executable);

WINNOW_C_API size_t winnow_executable_input_count(const winnow_executable *executable);
WINNOW_C_API size_t winnow_executable_output_count(const winnow_executable *executable);
/** Input `index`, counted from 0; outputs follow the inputs. */
WINNOW_C_API winnow_error *winnow_executable_argument(const winnow_executable *executable, size_t index,
                                                      winnow_argument *argument);

/** Bytes of workspace for one call with `tokens` tokens. */
WINNOW_C_API winnow_error *winnow_executable_workspace_bytes(const winnow_executable *executable, int64_t tokens,
                                                             int64_t *bytes);

/** Enqueues one call on `stream` (a CUstream of the device's primary context; NULL is the default stream). `arguments` are
 *  the device addresses of the inputs, then the outputs, each 16-byte aligned; `workspace` is 256-byte aligned and stays
 *  the caller's until the work is done. Allocates nothing on the device and waits for nothing; may be captured in a CUDA
 *  graph. */
WINNOW_C_API winnow_error *winnow_executable_execute(const winnow_executable *executable, void *stream, int64_t tokens,
                                                     const uint64_t *arguments, size_t argument_count, uint64_t workspace,
                                                     int64_t workspace_bytes);

/** Ranges of token counts, at least one, ascending from 1 on without gaps. */
WINNOW_C_API size_t winnow_executable_range_count(const winnow_executable *executable);
WINNOW_C_API winnow_error *winnow_executable_range(const winnow_executable *executable, size_t index,
                                                   winnow_token_range *range);

/** Launches of one call of 8192 tokens, in order: kernels, and the clearing of counters between them. */
WINNOW_C_API size_t winnow_executable_launch_count(const winnow_executable *executable);
/** Name of the kernel of launch `index` of these, or NULL where it is not a kernel. Lives as long as the executable. */
WINNOW_C_API const char *winnow_executable_launch_name(const winnow_executable *executable, size_t index);
/** The same two for a call of `tokens` tokens. */
WINNOW_C_API size_t winnow_executable_launch_count_at(const winnow_executable *executable, int64_t tokens);
WINNOW_C_API const char *winnow_executable_launch_name_at(const winnow_executable *executable, int64_t tokens,
                                                          size_t index);
/** As winnow_executable_execute, for launch `index` of a call of `tokens` tokens alone: for timing kernel by kernel. */
WINNOW_C_API winnow_error *winnow_executable_execute_launch(const winnow_executable *executable, size_t index, void *stream,
                                                            int64_t tokens, const uint64_t *arguments, size_t argument_count,
                                                            uint64_t workspace, int64_t workspace_bytes);

typedef struct winnow_recorded_call winnow_recorded_call;

/** Records what winnow_executable_execute would enqueue for these arguments, as a CUDA graph: a launch of it costs the host
 *  one call of the driver, however many kernels there are. Enqueues nothing that reads or writes the arguments, waits until
 *  the graph has reached the device, and allocates what the driver needs for it. The caller owns *call; the memory behind
 *  the addresses stays the caller's and must stay where it is. The executable may go first. */
WINNOW_C_API winnow_error *winnow_executable_record(const winnow_executable *executable, int64_t tokens,
                                                    const uint64_t *arguments, size_t argument_count, uint64_t workspace,
                                                    int64_t workspace_bytes, winnow_recorded_call **call);
/** Enqueues a recorded call on `stream`. Allocates nothing and waits for nothing. Launches of one recording follow one
 *  another, whatever their streams. Not for a stream that is being captured: call winnow_executable_execute there. */
WINNOW_C_API winnow_error *winnow_recorded_call_launch(const winnow_recorded_call *call, void *stream);
/** Accepts NULL. Launches must have finished. */
WINNOW_C_API void winnow_recorded_call_destroy(winnow_recorded_call *call);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_C_RUNTIME_H */
