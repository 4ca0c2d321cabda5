/** Does work when frames are drawn: once per frame at most, and less often the longer it takes. */
export class Pace {
  private isWaiting = false;
  private restUntil = 0;

  constructor(private readonly work: () => void) {}

  /** Have the work done soon; asking again before that changes nothing. */
  request(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    const rest = this.restUntil - performance.now();
    if (rest > 0) setTimeout(() => this.waitForFrame(), rest);
    else this.waitForFrame();
  }

  private waitForFrame(): void {
    requestAnimationFrame(() => {
      this.isWaiting = false;
      const begun = performance.now();
      this.work();
      const ended = performance.now();
      this.restUntil = ended + restPerWork * (ended - begun);
    });
  }
}

/** Long code costs more than a frame to highlight; most of the time stays with the reader's own input. */
const restPerWork = 4;
