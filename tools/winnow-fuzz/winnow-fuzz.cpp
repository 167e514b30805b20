//===- winnow-fuzz.cpp - differential testing of the ffn pipeline -------------------------------------------------===//
//
// Generates random functions and interprets each before the pipeline and after every phase. Worker processes share the
// seeds, so that a crash costs one program and is reported like any other failure.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Checker.h"
#include "Generator.h"
#include "Isolation.h"
#include "Reducer.h"

#include "winnow/Support/File.h"

#include <CLI/CLI.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <new>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace winnow;
using namespace winnow::fuzz;

namespace {

struct Options {
  uint64_t count = 1000;
  uint64_t seed = 1;
  unsigned jobs = 0;
  unsigned maxFailures = 5; ///< to stop at
  std::string output = ".";
  std::string file;
  bool injectBug = false;
  bool print = false;
  bool reduce = false;
};

/// Shared by the workers and the process that watches them.
struct Shared {
  std::atomic<uint64_t> next; ///< of the seeds, counted from the first
  std::atomic<uint64_t> done;
  std::atomic<uint64_t> declined;  ///< products whose layout request was taken out
  std::atomic<uint64_t> tokenWise; ///< products that became sparse
  std::atomic<uint64_t> featureWise;
  std::atomic<uint64_t> prepared; ///< tensors that depend on weights alone
  std::atomic<uint32_t> failures;
  std::atomic<uint64_t> current[256]; ///< by worker: what it is at, counted from the first, plus 1; 0 between two
};

size_t countText(const std::string &text, const std::string &what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size()))
    ++count;
  return count;
}

void writeProgram(const std::string &path, const Program &program) {
  std::string text = program.print();
  Result<bool> written = publishFile(path, text.data(), text.size());
  if (!written)
    std::fprintf(stderr, "winnow-fuzz: %s\n", written.message().c_str());
}

/// Reports a failure of a generated program, writes it and its reduction.
void report(Checker &checker, const Options &options, const std::string &name, const Program &program,
            const Outcome &outcome) {
  std::string path = options.output + "/" + name + ".mlir", reducedPath = options.output + "/" + name + ".reduced.mlir";
  writeProgram(path, program);
  Program reduced = reduce(checker, program, outcome);
  writeProgram(reducedPath, reduced);
  Outcome after = checkIsolated(checker, reduced);
  std::string phase = outcome.phase.empty() ? "" : " after phase '" + outcome.phase + "'";
  std::fprintf(stderr, "%s: %s%s: %s\n  program: %s\n  reduced: %s (%zu operations): %s\n%s", name.c_str(),
               verdictName(outcome.verdict), phase.c_str(), outcome.message.c_str(), path.c_str(), reducedPath.c_str(),
               countOperations(checker, reduced), after.message.c_str(), reduced.print().c_str());
}

void work(const Options &options, Shared &shared, unsigned worker) {
  Checker checker(options.injectBug);
  while (shared.failures < options.maxFailures) {
    uint64_t index = shared.next++;
    if (index >= options.count)
      return;
    shared.current[worker] = index + 1;
    Program program = generate(options.seed + index);
    size_t asked = countText(program.text, "ffn.layout");
    Outcome outcome = checkWithoutImpossibleLayouts(checker, program);
    shared.declined += asked - countText(program.text, "ffn.layout");
    shared.tokenWise += outcome.tokenWise;
    shared.featureWise += outcome.featureWise;
    shared.prepared += outcome.prepared;
    if (outcome.isFailure() || outcome.verdict == Verdict::declined) {
      ++shared.failures;
      report(checker, options, "seed-" + std::to_string(options.seed + index), program, outcome);
    }
    shared.current[worker] = 0;
    ++shared.done;
  }
}

/// Starts a worker; its process id, or -1.
pid_t startWorker(const Options &options, Shared &shared, unsigned worker) {
  std::fflush(nullptr);
  pid_t child = fork();
  if (child != 0)
    return child;
  work(options, shared, worker);
  std::fflush(nullptr);
  _exit(0);
}

/// A worker died: its program becomes a failure like any other.
void reportCrash(const Options &options, Shared &shared, unsigned worker, int status) {
  ++shared.failures;
  uint64_t index = shared.current[worker].exchange(0);
  if (index == 0) {
    std::fprintf(stderr, "winnow-fuzz: a worker ended with status %d between two programs\n", status);
    return;
  }
  uint64_t seed = options.seed + index - 1;
  Checker checker(options.injectBug);
  Program program = generate(seed);
  Outcome outcome = checkIsolated(checker, program);
  report(checker, options, "seed-" + std::to_string(seed), program, outcome);
  ++shared.done;
}

int runWorkers(const Options &options) {
  void *memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::fprintf(stderr, "winnow-fuzz: cannot share memory between workers: %s\n", std::strerror(errno));
    return 1;
  }
  Shared &shared = *new (memory) Shared();
  unsigned jobs = options.jobs ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
  auto start = std::chrono::steady_clock::now();
  std::map<pid_t, unsigned> workers;
  for (unsigned worker = 0; worker < std::min(jobs, 256u); ++worker)
    if (pid_t child = startWorker(options, shared, worker); child > 0)
      workers[child] = worker;
  if (workers.empty()) {
    std::fprintf(stderr, "winnow-fuzz: cannot start a worker: %s\n", std::strerror(errno));
    return 1;
  }
  bool terminal = isatty(STDERR_FILENO);
  while (!workers.empty()) {
    int status = 0;
    pid_t child = waitpid(-1, &status, WNOHANG);
    if (child > 0) {
      auto found = workers.find(child);
      if (found == workers.end())
        continue;
      unsigned worker = found->second;
      workers.erase(found);
      if (status != 0) {
        reportCrash(options, shared, worker, status);
        if (pid_t next = startWorker(options, shared, worker); next > 0)
          workers[next] = worker;
      }
      continue;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (terminal)
      std::fprintf(stderr, "\r%llu of %llu programs", static_cast<unsigned long long>(shared.done.load()),
                   static_cast<unsigned long long>(options.count));
  }
  if (terminal)
    std::fprintf(stderr, "\r\033[K");
  double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%llu programs from seed %llu in %.1f s: %llu products token-wise, %llu feature-wise, %llu tensors "
              "prepared, %llu requests declined, %u failures\n",
              static_cast<unsigned long long>(shared.done.load()), static_cast<unsigned long long>(options.seed),
              seconds, static_cast<unsigned long long>(shared.tokenWise.load()),
              static_cast<unsigned long long>(shared.featureWise.load()),
              static_cast<unsigned long long>(shared.prepared.load()),
              static_cast<unsigned long long>(shared.declined.load()), shared.failures.load());
  return shared.failures != 0 || shared.done < options.count ? 1 : 0;
}

/// Checks a program from a file, as the tests keep them.
int checkFile(const Options &options) {
  Result<std::vector<uint8_t>> bytes = readFile(options.file);
  if (!bytes) {
    std::fprintf(stderr, "winnow-fuzz: %s\n", bytes.message().c_str());
    return 1;
  }
  Result<Program> program = Program::parse(std::string(bytes->begin(), bytes->end()), options.file);
  if (!program) {
    std::fprintf(stderr, "winnow-fuzz: %s\n", program.message().c_str());
    return 1;
  }
  Checker checker(options.injectBug);
  Outcome outcome = checkIsolated(checker, *program);
  std::printf("%s%s%s%s%s\n", verdictName(outcome.verdict), outcome.phase.empty() ? "" : " after phase '",
              outcome.phase.c_str(), outcome.phase.empty() ? "" : "': ", outcome.message.c_str());
  if (options.reduce && outcome.isFailure()) {
    Program reduced = reduce(checker, *program, outcome);
    std::printf("reduced to %zu operations:\n%s", countOperations(checker, reduced), reduced.print().c_str());
  }
  return outcome.verdict == Verdict::agrees ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  CLI::App app{
      "Differential testing of Winnow's ffn pipeline: random functions must mean the same before and after every "
      "phase.\nExit code: 0 all agree, 1 a failure, otherwise wrong usage."};
  app.add_option("--count", options.count, "programs to generate")->capture_default_str();
  app.add_option("--seed", options.seed, "seed of the first; the others count on from it; 0 takes the time")
      ->capture_default_str();
  app.add_option("--jobs", options.jobs, "processes; 0: as many as cores")->capture_default_str();
  app.add_option("--max-failures", options.maxFailures, "failures to stop at")->capture_default_str();
  app.add_option("--output", options.output, "folder for failing programs and their reductions")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_flag("--inject-bug", options.injectBug, "add a wrong pass at the end, to test the tester");
  app.add_flag("--print", options.print, "print the program of --seed and stop");
  app.add_flag("--reduce", options.reduce, "reduce the program of the file where it fails");
  app.add_option("file", options.file, "check this program instead");
  CLI11_PARSE(app, argc, argv);
  if (options.seed == 0)
    options.seed = static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count() / 1000);
  if (options.print) {
    std::fputs(generate(options.seed).print().c_str(), stdout);
    return 0;
  }
  return options.file.empty() ? runWorkers(options) : checkFile(options);
}
