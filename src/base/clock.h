#pragma once
// Where judgement gets its time from. Nothing but the real clock calls the system; --now and tests fix it.
#include "base/time.h"

namespace egret {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Ticks now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Ticks now() const override;
};

class FixedClock final : public Clock {
 public:
  explicit FixedClock(Ticks now) : now_(now) {}
  Ticks now() const override { return now_; }

 private:
  Ticks now_;
};

}  // namespace egret
