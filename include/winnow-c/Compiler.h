/*===- winnow-c/Compiler.h - compile FFNs from C ------------------------------------------------------------------===*\
|*                                                                                                                    *|
|* Text in, decisions, intermediate forms, kernels and artifacts out. Needs no GPU and no driver; NVRTC at run        *|
|* time, and only for winnow_module_compile.                                                                          *|
|*                                                                                                                    *|
|* Errors: as in winnow-c/Runtime.h. The text of an error holds every diagnostic of the call, a line each, as         *|
|* "file:line:column: error: what was expected and what was found". No function throws, prints, exits or aborts.      *|
|* Threads: every function may be called from several threads at once. Calls into one context wait for each other;    *|
|* contexts know nothing of each other.                                                                               *|
|* Lifetimes: a module keeps its context alive, so both may be destroyed in either order. Destroy functions accept    *|
|* NULL.                                                                                                              *|
|*                                                                                                                    *|
\*===--------------------------------------------------------------------------------------------------------------===*/

#ifndef WINNOW_C_COMPILER_H
#define WINNOW_C_COMPILER_H

#include "winnow-c/Runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Grows when a declaration in this header or winnow-c/Reference.h changes its meaning or goes; additions leave it. */
#define WINNOW_COMPILER_ABI_VERSION 1

/** The ABI version of the library that was loaded; compare with WINNOW_COMPILER_ABI_VERSION. */
WINNOW_C_API int winnow_compiler_abi_version(void);
/** Version and a hash of the sources, "0.1.0+4f1c0a9be2d7". Static. */
WINNOW_C_API const char *winnow_build_id(void);

/*===--- Bytes ----------------------------------------------------------------------------------------------------===*/

/** Text or binary data that the caller owns. */
typedef struct winnow_bytes winnow_bytes;
/** A zero byte follows the last one. Lives as long as the object. */
WINNOW_C_API const char *winnow_bytes_data(const winnow_bytes *bytes);
WINNOW_C_API size_t winnow_bytes_size(const winnow_bytes *bytes);
WINNOW_C_API void winnow_bytes_destroy(winnow_bytes *bytes);

/*===--- Contexts, diagnostics and remarks ------------------------------------------------------------------------===*/

typedef struct winnow_context winnow_context;

/** The caller owns *context. A context starts no threads of its own. */
WINNOW_C_API winnow_error *winnow_context_create(winnow_context **context);
WINNOW_C_API void winnow_context_destroy(winnow_context *context);

typedef enum winnow_severity {
  WINNOW_SEVERITY_ERROR = 0,
  WINNOW_SEVERITY_WARNING = 1,
  WINNOW_SEVERITY_NOTE = 2, /**< belongs to the diagnostic before it */
  WINNOW_SEVERITY_REMARK = 3
} winnow_severity;

/** Strings live until the callback returns. */
typedef struct winnow_diagnostic {
  winnow_severity severity;
  const char *location; /**< "file:line:column", or "" where there is none */
  const char *message;
} winnow_diagnostic;

typedef enum winnow_remark_kind {
  WINNOW_REMARK_PASSED = 0,  /**< something was done */
  WINNOW_REMARK_MISSED = 1,  /**< something was not done */
  WINNOW_REMARK_ANALYSIS = 2, /**< something was found */
  WINNOW_REMARK_FAILED = 3
} winnow_remark_kind;

/** A decision of a pass. Strings live until the callback returns. */
typedef struct winnow_remark {
  winnow_remark_kind kind;
  const char *pass;     /**< "ffn-select-layout" */
  const char *name;     /**< what was decided, stable: "SparseProduct" */
  const char *function; /**< function or kernel it is about */
  const char *location; /**< as in winnow_diagnostic */
  const char *facts;    /**< the values that went into it, "Layout=token_wise, Shape=?x4096x16384", or "" */
  const char *message;  /**< why */
} winnow_remark;

typedef void (*winnow_diagnostic_callback)(const winnow_diagnostic *diagnostic, void *user);
typedef void (*winnow_remark_callback)(const winnow_remark *remark, void *user);

/** Has `callback` (NULL: nothing) called for every diagnostic of later calls into the context, in order: by the thread
 *  that made the call, before the call returns, when its work is over. A callback may therefore call into the context.
 *  An exception that it throws (from C++) makes the call fail with the exception's text. Until changed, `user` must stay
 *  valid for as long as the context or a module of it is used. */
WINNOW_C_API winnow_error *winnow_context_set_diagnostic_callback(winnow_context *context,
                                                                  winnow_diagnostic_callback callback, void *user);
/** The same for remarks, each distinct one once per call. */
WINNOW_C_API winnow_error *winnow_context_set_remark_callback(winnow_context *context, winnow_remark_callback callback,
                                                              void *user);

/*===--- Modules --------------------------------------------------------------------------------------------------===*/

typedef struct winnow_module winnow_module;

/** Parses and verifies `size` bytes of MLIR text, or of MLIR bytecode. `name` stands for them in locations. The caller
 *  owns *module. */
WINNOW_C_API winnow_error *winnow_module_parse(winnow_context *context, const char *text, size_t size, const char *name,
                                               winnow_module **module);
/** A copy in the same context, at the same level. */
WINNOW_C_API winnow_error *winnow_module_clone(const winnow_module *module, winnow_module **copy);
WINNOW_C_API void winnow_module_destroy(winnow_module *module);
/** MLIR text. The caller owns *text. */
WINNOW_C_API winnow_error *winnow_module_print(const winnow_module *module, winnow_bytes **text);

/** Functions of the text that was parsed; after lowering, the one that was lowered. */
WINNOW_C_API size_t winnow_module_function_count(const winnow_module *module);
/** Name of function `index`, or NULL where there is none. Lives as long as the module, and until it is lowered. */
WINNOW_C_API const char *winnow_module_function_name(const winnow_module *module, size_t index);
/** Index of the function called `name`; where that is NULL or empty, of @forward or the only one. */
WINNOW_C_API winnow_error *winnow_module_find_function(const winnow_module *module, const char *name, size_t *index);
WINNOW_C_API size_t winnow_module_input_count(const winnow_module *module, size_t function);
WINNOW_C_API size_t winnow_module_output_count(const winnow_module *module, size_t function);
/** Input `index` of a function, counted from 0; outputs follow the inputs and are called "result0", "result1", …
 *  Pointers live as long as the module, and until it is lowered. Fails for an argument without a plain row-major form. */
WINNOW_C_API winnow_error *winnow_module_argument(const winnow_module *module, size_t function, size_t index,
                                                  winnow_argument *argument);
/** 1 if every result of a function has its tokens as rows, or none at all, and each row depends on no other token: then
 *  calls may be split and merged along the tokens. 0 where that is not so, or not known; known at level spec. */
WINNOW_C_API int winnow_module_is_token_wise(const winnow_module *module, size_t function);

/*===--- Compilation ----------------------------------------------------------------------------------------------===*/

/** Zero is the default of every field but `size`. NULL options are all defaults. */
typedef struct winnow_compile_options {
  size_t size;        /**< sizeof(winnow_compile_options) */
  const char *target; /**< chip; NULL: "sm_90a" */
  const char *entry;  /**< function; NULL: @forward, or the only one */
  int64_t tokens;     /**< token count to decide for where it is dynamic; the kernels take any. 0: unknown: a program of
                           winnow_module_compile has kernels for every range of counts, all else is decided for 8192 */
  int no_cache;       /**< neither read nor write the kernel cache on disk */
  unsigned threads;   /**< kernels compiled at once; 0: as many as there are cores */
  const char *tuning; /**< path of a database of tuned schedules that is asked before the shipped one, as winnow tune
                           writes it; "none": neither; NULL: the shipped one alone */
} winnow_compile_options;

typedef enum winnow_level {
  WINNOW_LEVEL_SPEC = 0, /**< as written */
  WINNOW_LEVEL_FFN = 1,  /**< ffn dialect, every operation in the kernel that will do it */
  WINNOW_LEVEL_KERN = 2  /**< kern dialect: kernels with schedules, and the program that launches them */
} winnow_level;

WINNOW_C_API winnow_level winnow_module_level(const winnow_module *module);
/** Lowers the module to `level`, in place. The module is as before when it fails. Only the entry function remains. */
WINNOW_C_API winnow_error *winnow_module_lower(winnow_module *module, winnow_level level,
                                               const winnow_compile_options *options);

/** The kernels of a function and how to launch them. Independent of the context. */
typedef struct winnow_program winnow_program;

/** CUDA C++ of every kernel. The module may be at any level and stays as it is. The caller owns *program. */
WINNOW_C_API winnow_error *winnow_module_emit_cuda(const winnow_module *module, const winnow_compile_options *options,
                                                   winnow_program **program);
/** The same, and PTX and machine code by NVRTC and the kernel cache. */
WINNOW_C_API winnow_error *winnow_module_compile(const winnow_module *module, const winnow_compile_options *options,
                                                 winnow_program **program);
WINNOW_C_API void winnow_program_destroy(winnow_program *program);

/** Ranges of token counts that have kernels of their own, at least one, ascending from 1 on without gaps. */
WINNOW_C_API size_t winnow_program_range_count(const winnow_program *program);
WINNOW_C_API winnow_error *winnow_program_range(const winnow_program *program, size_t index,
                                                winnow_token_range *range);

/** One compiled source, of the kernels for 8192 tokens. PTX and cubin are empty in a program of winnow_module_emit_cuda.
 *  A zero byte follows each text. Pointers live as long as the program. */
typedef struct winnow_image {
  const char *name;
  const char *cuda;
  size_t cuda_size;
  const char *ptx;
  size_t ptx_size;
  const void *cubin;
  size_t cubin_size;
} winnow_image;

WINNOW_C_API size_t winnow_program_image_count(const winnow_program *program);
WINNOW_C_API winnow_error *winnow_program_image(const winnow_program *program, size_t index, winnow_image *image);
/** The bytes of an artifact (.wnw), which winnow_executable_load takes. The caller owns *artifact. Fails for a program
 *  of winnow_module_emit_cuda. */
WINNOW_C_API winnow_error *winnow_program_artifact(const winnow_program *program, winnow_bytes **artifact);
/** Bytes of workspace for one call with `tokens` tokens, as of winnow_executable_workspace_bytes; needs no device. */
WINNOW_C_API winnow_error *winnow_program_workspace_bytes(const winnow_program *program, int64_t tokens, int64_t *bytes);
/** Loads the program on CUDA device `device`, as winnow_executable_load does with an artifact. */
WINNOW_C_API winnow_error *winnow_program_load(const winnow_program *program, int device,
                                                winnow_executable **executable);

/*===--- Devices --------------------------------------------------------------------------------------------------===*/

/** How many CUDA devices the driver shows. Fails where there is no driver. */
WINNOW_C_API winnow_error *winnow_device_count(int *count);
/** The target that device `device` runs, "sm_90a". The caller owns *target. */
WINNOW_C_API winnow_error *winnow_device_target(int device, winnow_bytes **target);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_C_COMPILER_H */
