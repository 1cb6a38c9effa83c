#ifndef CAFFE_UTIL_RNG_HPP_
#define CAFFE_UTIL_RNG_HPP_

#include <iterator>
#include <random>
#include <utility>

#include "caffe/common.hpp"

namespace caffe {

typedef std::mt19937 rng_t;

/** @brief The calling thread's generator. */
inline rng_t* caffe_rng() { return static_cast<rng_t*>(Caffe::rng_stream().generator()); }

/** @brief Fisher-Yates with the given generator: the same order on every platform. */
template <class RandomAccessIterator, class RandomGenerator>
inline void shuffle(RandomAccessIterator begin, RandomAccessIterator end, RandomGenerator* gen) {
  typedef typename std::iterator_traits<RandomAccessIterator>::difference_type difference_type;
  for (difference_type i = std::distance(begin, end) - 1; i > 0; --i) {
    const difference_type j =
        static_cast<difference_type>((*gen)() % static_cast<rng_t::result_type>(i + 1));
    std::iter_swap(begin + i, begin + j);
  }
}

template <class RandomAccessIterator>
inline void shuffle(RandomAccessIterator begin, RandomAccessIterator end) {
  shuffle(begin, end, caffe_rng());
}

}  // namespace caffe

#endif  // CAFFE_UTIL_RNG_HPP_
