// What a container grants: limits of Linux control groups, version 1 and 2.
#pragma once
#include <algorithm>
#include <cstdio>
#include <string>

namespace voxkern::cpu::cgroup {

// The first line of a small file, empty if there is none.
inline std::string first_line(const std::string& path) {
  std::string line;
  if (std::FILE* file = std::fopen(path.c_str(), "re")) {
    char text[4096];
    if (std::fgets(text, sizeof text, file)) line = text;
    std::fclose(file);
  }
  return line;
}

// Two numbers of "150000 100000", or one of "1073741824"; how many there are.
inline int numbers(const std::string& line, double* a, double* b) {
  return std::sscanf(line.c_str(), "%lf %lf", a, b);
}

// Cores' worth of time that one directory grants; 0 if it sets no limit.
inline double cpu_limit(const std::string& directory) {
  double quota = 0, period = 0, none;
  if (numbers(first_line(directory + "/cpu.max"), &quota, &period) != 2) {
    numbers(first_line(directory + "/cpu.cfs_quota_us"), &quota, &none);
    numbers(first_line(directory + "/cpu.cfs_period_us"), &period, &none);
  }
  return quota > 0 && period > 0 ? quota / period : 0;
}

// The same for bytes of memory.
inline double memory_limit(const std::string& directory) {
  double bytes = 0, none;
  if (numbers(first_line(directory + "/memory.max"), &bytes, &none) < 1)
    numbers(first_line(directory + "/memory.limit_in_bytes"), &bytes, &none);
  return bytes > 0 ? bytes : 0;
}

// The tightest limit on the way from this process's group up to the root, or `most` if none is
// tighter. `controller` is "cpu" or "memory", and `limit` reads one directory.
inline double tightest(const std::string& controller, double (*limit)(const std::string&),
                       double most, const char* membership = "/proc/self/cgroup",
                       const std::string& mount = "/sys/fs/cgroup") {
  std::FILE* file = std::fopen(membership, "re");
  if (!file) return most;
  char text[4096];
  while (std::fgets(text, sizeof text, file)) {
    // "id:controllers:/path". Version 2 names no controller; version 1 has a tree for each.
    const std::string line(text);
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1, line.find('\n') - second - 1), root = mount;
    if (names.find("," + controller + ",") != std::string::npos)
      root += "/" + controller;
    else if (names != ",,")
      continue;
    // In a container the path may name what only the host sees: its parents are tried all the same.
    for (;;) {
      if (const double here = limit(root + path); here > 0) most = std::min(most, here);
      if (path.empty()) break;
      path.resize(std::min(path.rfind('/'), path.size()));
    }
  }
  std::fclose(file);
  return most;
}

}  // namespace voxkern::cpu::cgroup
