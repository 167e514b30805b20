//===- Grid.cpp - one launch --------------------------------------------------------------------------------------===//

#include "Grid.h"

#include "Multiprocessor.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace emulator;

std::string emulator::runGrid(const Kernel &kernel, void **parameters, const GridShape &shape, unsigned multiprocessors,
                              uint64_t seed, const std::function<std::string()> &before) {
  if (shape.blocks % shape.cluster != 0)
    return "a grid of " + std::to_string(shape.blocks) + " blocks has no whole number of clusters of " +
           std::to_string(shape.cluster);
  Launch launch(before);
  const unsigned clusters = shape.blocks / shape.cluster;
  const unsigned atOnce = std::max(1u, std::min(clusters, multiprocessors / shape.cluster));
  std::atomic<unsigned> next = 0;

  // One of the places that a cluster can run at: its blocks run on a thread of the host each.
  const auto runPlace = [&] {
    std::vector<std::unique_ptr<Multiprocessor>> blocks;
    for (unsigned rank = 0; rank < shape.cluster; ++rank)
      blocks.push_back(std::make_unique<Multiprocessor>(launch, shape.threads, shape.sharedBytes, shape.blocks));
    for (unsigned index; !launch.failed && (index = next++) < clusters;) {
      std::vector<Multiprocessor *> members;
      for (auto &block : blocks)
        members.push_back(block.get());
      Cluster cluster(std::move(members),
                      static_cast<unsigned>((seed + index) * 0x9E3779B97F4A7C15 >> 33) % shape.cluster);
      std::vector<std::thread> others;
      const auto runBlock = [&](unsigned rank) {
        const unsigned block = index * shape.cluster + rank;
        blocks[rank]->run(kernel, parameters, block, rank, cluster, seed + block);
      };
      for (unsigned rank = 1; rank < shape.cluster; ++rank)
        others.emplace_back(runBlock, rank);
      runBlock(0);
      for (std::thread &other : others)
        other.join();
    }
  };
  std::vector<std::thread> places;
  for (unsigned i = 0; i < atOnce; ++i)
    places.emplace_back(runPlace);
  for (std::thread &place : places)
    place.join();
  if (launch.overlaps() && !launch.haveEnded && !launch.failed)
    launch.fail("no thread has waited for the launches that this one overlaps");
  return launch.message();
}
