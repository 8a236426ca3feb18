# Where all ways in meet: from 32-bit protected mode to the first Rust function.

    .set KERNEL32_CS, 0x08                  # selectors of early_gdt
    .set KERNEL_CS, 0x10
    .set KERNEL_DS, 0x18
    .set MSR_EFER, 0xc0000080
    .set EFER_LME, 1 << 8
    .set EFER_NXE, 1 << 11
    .set MSR_GS_BASE, 0xc0000101
    .set CR4_PAE, 1 << 5
    .set CR4_PGE, 1 << 7
    .set CR0_STATE, 0x80050033              # PG, AM, WP, NE, ET, MP, PE

    .section .head.text, "ax", @progbits
    .code32
# ebp = which way in, esi = its argument; both are kept to the end.
protected_mode:
    lgdt    early_gdt_physical - KERNEL_MAP
    ljmpl   $KERNEL32_CS, $1f - KERNEL_MAP
1:  movl    $KERNEL_DS, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    $init_stack_end - KERNEL_MAP, %esp
    call    verify_image
    call    verify_cpu
    .if     {BZIMAGE_TRIM}
    call    clear_bss
    call    build_tables
    .endif
    rdtsc                                   # every CPU with long mode has it
    movl    %eax, {entered} - KERNEL_MAP
    movl    %edx, {entered} - KERNEL_MAP + 4

    # Otherwise nothing clears .bss: an ELF loader does so itself, and the bzImage file holds it as zeros.
    movl    $CR4_PAE | CR4_PGE, %eax
    movl    %eax, %cr4
    movl    $early_top_pgt - KERNEL_MAP, %eax
    movl    %eax, %cr3
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     $EFER_LME | EFER_NXE, %eax
    wrmsr
    movl    $CR0_STATE, %eax
    movl    %eax, %cr0
    ljmpl   $KERNEL_CS, $1f - KERNEL_MAP

    .code64
1:  movq    $2f, %rax                       # off the identity map, to the addresses that the image is linked at
    jmpq    *%rax
2:  lgdt    early_gdt_virtual(%rip)
    xorl    %eax, %eax
    xorl    %edx, %edx
    movl    %eax, %fs
    movl    %eax, %gs
    movl    $MSR_GS_BASE, %ecx              # a null selector leaves the base alone on some CPUs
    wrmsr
    movq    $init_stack_end, %rsp
    movl    %ebp, %edi
    movl    %esi, %esi                      # the upper half is undefined after the change of mode
    xorl    %ebp, %ebp                      # a backtrace ends here
    pushq   %rbp
    call    {enter}
    ud2
