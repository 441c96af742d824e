//! The system's calls that the child must not make, held by seccomp: those that reach a network, start
//! a program, or look into another process. Foreign libraries may make any other.

/// Denies them to this thread and to those that it starts; says whether that is known for this machine.
///
/// # Errors
/// What the system said.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn deny() -> Result<bool, seccompiler::Error> {
    use seccompiler::{SeccompAction, SeccompFilter};

    // A library is told what a missing right is told with, so that it goes on without.
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let denied = numbers().map(|number| (number, Vec::new())).collect();
    let machine = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(denied, SeccompAction::Allow, refused, machine)?;
    let program: seccompiler::BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(true)
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) fn deny() -> Result<bool, std::convert::Infallible> {
    Ok(false)
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const DENIED: [libc::c_long; 20] = [
    // A network. Without a socket there is nothing to send on; a ring makes calls that no filter sees.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    // What attacks on the kernel begin with, and nothing else here.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_perf_event_open,
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_unshare,
];

#[cfg(target_arch = "x86_64")]
fn numbers() -> impl Iterator<Item = i64> {
    // Some kernels take the calls a second time, with 32-bit pointers; those that differ then have
    // numbers of their own: execve, ptrace, process_vm_readv, process_vm_writev, execveat.
    const X32: i64 = 0x4000_0000;
    let own = [520, 521, 539, 540, 545];
    let both = DENIED.into_iter().chain(own.into_iter().map(|it| it | X32));
    both.chain(DENIED.map(|it| it | X32))
}

#[cfg(target_arch = "aarch64")]
fn numbers() -> impl Iterator<Item = i64> {
    DENIED.into_iter()
}
