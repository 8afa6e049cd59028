#include <voxkern/segment/otsu.hpp>

#include <cpu/parallel.hpp>

namespace voxkern::cpu {

void otsu(On, List<const i64> counts, List<const f64> centers, List<i64> best) {
  i64 voxels = 0, below = 0;
  f64 everything = 0, moment = 0, most = -1;
  for (i64 n = 0; n < counts.size; ++n) {
    voxels += counts[n];
    everything += f64(counts[n]) * centers[n];
  }
  for (i64 n = 0; n < counts.size; ++n) {
    below += counts[n];
    moment += f64(counts[n]) * centers[n];
    const i64 above = voxels - below;
    if (most < 0 && counts[n]) best[0] = n;
    if (!below || !above) continue;
    const f64 apart = moment / f64(below) - (everything - moment) / f64(above);
    const f64 between = f64(below) * f64(above) * (apart * apart);
    if (between > most) {
      best[0] = n;
      most = between;
    }
  }
}

}  // namespace voxkern::cpu
