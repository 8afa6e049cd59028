// Columns of planes in the order of their values, and back.
#pragma once
#include "../base.hpp"

#ifndef __CUDACC_RTC__
namespace voxkern::cpu {
struct On;
// Sorts each column of each plane: the least value first, equal ones as they come, NaN last.
// `order` gets the rows that they come from.
template <class T>
void sort_columns(On, View<const T> x, View<T> y, View<i32> order);

// Puts the values of each column into the rows that `order` names.
template <class T>
void put_columns(On, View<const T> x, View<const i32> order, View<T> y);
}  // namespace voxkern::cpu
#endif
