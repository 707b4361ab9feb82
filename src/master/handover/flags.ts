/** How a new image of the master's process is told that it is one: by its first argument, which ends with the descriptor of the snapshot. */

/** The image takes over. */
export const resumeFlag = '--resume-from=';
/** The image, which runs in a process of its own, only finds out whether it could take over. A version without upgrades refuses the option. */
export const checkFlag = '--check-resume-from=';
